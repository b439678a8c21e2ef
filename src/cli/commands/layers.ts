import { Command } from "commander";
import type { ListedLayer } from "../../daemon/index.js";
import type { ContainerInspect, ImageHistoryItem } from "../../engine/index.js";
import { shortID } from "../../spec/index.js";
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
  const container = await found(client.get<ContainerInspect>(`/containers/${pathPart(name)}/json`, { size: true }));
  if (!container) return await imageLayers(client, name);
  return [...ownLayers(container), ...(await imageLayers(client, container.Image))];
}

/** The writable layer, and under it the init layer. */
function ownLayers({ GraphDriver, SizeRw = 0, Name }: ContainerInspect): LayerRow[] {
  const { UpperDir = "", LowerDir = "" } = GraphDriver.Data ?? {};
  const below = LowerDir.split(/:(?=\/)/).find((directory) => /-init\//.test(directory)) ?? "";
  // There the container has begun with what its init layer has, and lies beside it.
  const init = GraphDriver.Name === "overlay" ? UpperDir.replace(/\/upper$/, "-init/upper") : below;
  const none = { ChainID: "" };
  return [
    { ...none, DiffID: "<writable>", Size: size(SizeRw), CreatedBy: `container ${Name.slice(1)}`, Directory: UpperDir },
    { ...none, DiffID: "<init>", Size: "0B", CreatedBy: "mount points of every container", Directory: init },
  ];
}

async function imageLayers(client: Client, name: string): Promise<LayerRow[]> {
  const layers = await client.get<ListedLayer[]>(`/layerkit/layers/${pathPart(name)}`);
  const steps = stepsOf(await client.get<ImageHistoryItem[]>(`/images/${pathPart(name)}/history`), layers.length);
  return layers.map(({ DiffID, ChainID, Size, Data }, index) => {
    const CreatedBy = steps[index]?.CreatedBy ?? "";
    return { DiffID, ChainID, Size: size(Size), CreatedBy, Directory: Data.UpperDir ?? Data.RootDir ?? "" };
  });
}

/** The steps that made layers, newest first; none when they cannot be told from those that made none. */
function stepsOf(history: readonly ImageHistoryItem[], layers: number): readonly ImageHistoryItem[] {
  if (history.length === layers) return history;
  const sized = history.filter((item) => item.Size > 0);
  return sized.length === layers ? sized : [];
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
