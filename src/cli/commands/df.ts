import { Command } from "commander";
import type { DiskUsage } from "../../engine/index.js";
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
    .option("-v, --verbose", "each of them")
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, options }) => {
        const usage = await client.get<DiskUsage>("/system/df");
        if (!options.verbose) return await printListing(summary(usage), options.format);
        for (const [title, listing] of details(usage)) {
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

function details(usage: DiskUsage): [string, Listing][] {
  return [
    [
      "Images space usage",
      { rows: usage.Images.flatMap((image) => imageRows(image, { trunc: true })), columns: imageColumns },
    ],
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
