import { Command } from "commander";
import type { DiskUsage, LayerInodes } from "../../engine/index.js";
import type { Client } from "../client.js";
import { size } from "../format/size.js";
import { type Format, formatOption, type Listing, print, printListing } from "../print.js";
import { talking } from "../session.js";
import { imageRows } from "./images.js";
import { containerRow } from "./ps.js";

interface Options {
  readonly verbose?: boolean;
  readonly format?: Format;
}

export function dfCommand(): Command {
  return new Command("df")
    .description("show how much disk images, containers and volumes take")
    .option("-v, --verbose", "each of them, and inodes of images with either driver")
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, options }) => {
        const usage = await client.get<DiskUsage>("/system/df");
        if (!options.verbose) return await printListing(summary(usage), options.format);
        for (const [title, listing] of details(usage, await inodesOf(usage, client))) {
          await print(`${title}:`, "");
          await printListing(listing, options.format);
          await print("");
        }
      }),
    );
}

const summaryColumns = {
  TYPE: "Type",
  TOTAL: "TotalCount",
  ACTIVE: "Active",
  SIZE: "Size",
  RECLAIMABLE: "Reclaimable",
};

function summary(usage: DiskUsage): Listing {
  return { rows: [images(usage), containers(usage), volumes(usage)], columns: summaryColumns };
}

function images({ Images, LayersSize }: DiskUsage) {
  const active = Images.filter(({ Containers }) => Containers > 0);
  const used = sum(active.map(({ Size, SharedSize }) => Size - SharedSize));
  return row("Images", Images.length, active.length, LayersSize, LayersSize - used);
}

function containers({ Containers }: DiskUsage) {
  const active = Containers.filter(({ State }) => ["running", "paused", "restarting"].includes(State));
  const total = sum(Containers.map(({ SizeRw = 0 }) => SizeRw));
  return row(
    "Containers",
    Containers.length,
    active.length,
    total,
    total - sum(active.map(({ SizeRw = 0 }) => SizeRw)),
  );
}

function volumes({ Volumes }: DiskUsage) {
  const known = Volumes.map(({ UsageData }) => ({
    refs: UsageData?.RefCount ?? 0,
    size: Math.max(0, UsageData?.Size ?? 0),
  }));
  const active = known.filter(({ refs }) => refs > 0);
  const total = sum(known.map((volume) => volume.size));
  return row("Local Volumes", known.length, active.length, total, total - sum(active.map((volume) => volume.size)));
}

function row(Type: string, count: number, active: number, total: number, free: number) {
  const share = total > 0 ? ` (${Math.floor((free * 100) / total)}%)` : "";
  return {
    Active: String(active),
    Reclaimable: `${size(free, 4)}${share}`,
    Size: size(total, 4),
    TotalCount: String(count),
    Type,
  };
}

type Inodes = ReadonlyMap<string, LayerInodes>;

/** By image id; without those of which it cannot be told. One after the other: each may have a hundred thousand files. */
async function inodesOf({ Images }: DiskUsage, client: Client): Promise<Inodes> {
  const inodes = new Map<string, LayerInodes>();
  for (const { Id } of Images) {
    const counted = await client.get<LayerInodes>(`/layerkit/inodes/${Id}`).catch(() => undefined);
    if (counted) inodes.set(Id, counted);
  }
  return inodes;
}

function details(usage: DiskUsage, inodes: Inodes): [string, Listing][] {
  const rowsOf = (image: DiskUsage["Images"][number]) => {
    const { overlay2 = "N/A", overlay = "N/A" } = inodes.get(image.Id) ?? {};
    const counts = { InodesOverlay2: String(overlay2), InodesOverlay: String(overlay) };
    return imageRows(image, { trunc: true }).map((row) => ({ ...row, ...counts }));
  };
  return [
    ["Images space usage", { rows: usage.Images.flatMap(rowsOf), columns: imageColumns }],
    [
      "Containers space usage",
      { rows: usage.Containers.map((each) => containerRow(each, true)), columns: containerColumns },
    ],
    ["Local Volumes space usage", { rows: usage.Volumes.map(volumeRow), columns: volumeColumns }],
  ];
}

function volumeRow({ Name, UsageData }: DiskUsage["Volumes"][number]) {
  const bytes = UsageData?.Size ?? -1;
  return { Links: String(UsageData?.RefCount ?? 0), Name, Size: bytes < 0 ? "N/A" : size(bytes) };
}

const imageColumns = {
  REPOSITORY: "Repository",
  TAG: "Tag",
  "IMAGE ID": "ID",
  CREATED: "CreatedSince",
  SIZE: "Size",
  "SHARED SIZE": "SharedSize",
  "UNIQUE SIZE": "UniqueSize",
  CONTAINERS: "Containers",
  "OVERLAY2 INODES": "InodesOverlay2",
  "OVERLAY INODES": "InodesOverlay",
};
const containerColumns = {
  "CONTAINER ID": "ID",
  IMAGE: "Image",
  COMMAND: "Command",
  "LOCAL VOLUMES": "LocalVolumes",
  SIZE: "Size",
  CREATED: "RunningFor",
  STATUS: "Status",
  NAMES: "Names",
};
const volumeColumns = { "VOLUME NAME": "Name", LINKS: "Links", SIZE: "Size" };

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
