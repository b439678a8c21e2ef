import { Command } from "commander";
import type { ContainerInspect, ImageHistoryItem, ImageInspect } from "../../engine/index.js";
import { type ChainID, type DiffID, nextChainID, shortID } from "../../spec/index.js";
import { type Client, pathPart, ServerError } from "../client.js";
import { size } from "../format/size.js";
import { type Format, formatOption, print, printListing } from "../print.js";
import { talking } from "../session.js";

interface Options {
  readonly quiet?: boolean;
  readonly trunc: boolean;
  readonly format?: Format;
}

export function layersCommand(): Command {
  return new Command("layers")
    .description("list the layers of an image or container, topmost first, and where they lie on disk")
    .argument("<image|container>")
    .option("-q, --quiet", "directories only")
    .option("--no-trunc", "whole ids and commands")
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, args: [name = ""], options }) => {
        const rows = (await layersOf(client, name)).map((layer) => (options.trunc ? truncated(layer) : layer));
        if (options.quiet) return await print(...rows.map((row) => row.Directory));
        await printListing({ rows, columns }, options.format);
      }),
    );
}

const columns = {
  LAYER: "DiffID",
  "CHAIN ID": "ChainID",
  SIZE: "Size",
  "CREATED BY": "CreatedBy",
  DIRECTORY: "Directory",
};

type LayerRow = {
  readonly DiffID: string;
  readonly ChainID: string;
  readonly Size: string;
  readonly CreatedBy: string;
  readonly Directory: string;
};

async function layersOf(client: Client, name: string): Promise<LayerRow[]> {
  const image = await found(client.get<ImageInspect>(`/images/${pathPart(name)}/json`));
  if (image) return await imageLayers(client, image);
  const path = `/containers/${pathPart(name)}/json`;
  const container = await found(client.get<ContainerInspect>(path, { size: true }));
  if (!container) throw new ServerError(404, `No such image or container: ${name}`);
  const below = await client.get<ImageInspect>(`/images/${container.Image}/json`);
  return [...ownLayers(container), ...(await imageLayers(client, below))];
}

/** The writable layer, and under it the init layer. */
function ownLayers({ GraphDriver, SizeRw = 0, Name }: ContainerInspect): LayerRow[] {
  const { upper, lowers } = directories(GraphDriver.Data);
  const init = lowers.filter((directory) => /-init\//.test(directory));
  const own = {
    DiffID: "<writable>",
    ChainID: "",
    Size: size(SizeRw),
    CreatedBy: `container ${Name}`,
    Directory: upper,
  };
  const below = { DiffID: "<init>", ChainID: "", Size: "0B", CreatedBy: "mount points every container needs" };
  return [own, ...init.map((Directory) => ({ ...below, Directory }))];
}

async function imageLayers(client: Client, image: ImageInspect): Promise<LayerRow[]> {
  const history = await client.get<ImageHistoryItem[]>(`/images/${image.Id}/history`);
  const diffIDs = (image.RootFS.Layers ?? []) as DiffID[];
  const { upper, lowers } = directories(image.GraphDriver.Data);
  const topFirst = [upper, ...lowers];
  const steps = stepsOf(history, diffIDs.length);
  let chain: ChainID | undefined;
  const rows = diffIDs.map((DiffID, index) => {
    chain = nextChainID(chain, DiffID);
    const fromTop = diffIDs.length - 1 - index;
    const step = steps[fromTop];
    const Size = step ? size(step.Size) : "N/A";
    return { DiffID, ChainID: chain, Size, CreatedBy: step?.CreatedBy ?? "", Directory: topFirst[fromTop] ?? "" };
  });
  return rows.reverse();
}

/** The steps that made layers, newest first; none when they cannot be told from those that made none. */
function stepsOf(history: readonly ImageHistoryItem[], layers: number): readonly ImageHistoryItem[] {
  if (history.length === layers) return history;
  const sized = history.filter((item) => item.Size > 0);
  return sized.length === layers ? sized : [];
}

function directories(data: Record<string, string> | null): { upper: string; lowers: string[] } {
  const { UpperDir = "", LowerDir = "" } = data ?? {};
  return { upper: UpperDir, lowers: LowerDir === "" ? [] : LowerDir.split(/:(?=\/)/) };
}

function truncated({ DiffID, ChainID, CreatedBy, ...rest }: LayerRow): LayerRow {
  const by = CreatedBy.length > 40 ? `${CreatedBy.slice(0, 39)}…` : CreatedBy;
  return {
    ...rest,
    DiffID: DiffID.startsWith("<") ? DiffID : shortID(DiffID),
    ChainID: shortID(ChainID),
    CreatedBy: by,
  };
}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ServerError && error.status === 404) return undefined;
    throw error;
  }
}
