import { Command } from "commander";
import type { ContainerSummary } from "../../engine/index.js";
import { shortID } from "../../spec/index.js";
import { filtersText } from "../filters.js";
import { size } from "../format/size.js";
import { ago, goTime } from "../format/time.js";
import { type Format, formatOption, print, printListing } from "../print.js";
import { talking } from "../session.js";
import { collect } from "../settings.js";

interface Options {
  readonly all?: boolean;
  readonly quiet?: boolean;
  readonly size?: boolean;
  readonly trunc: boolean;
  readonly last?: string;
  readonly latest?: boolean;
  readonly filter?: readonly string[];
  readonly format?: Format;
}

export function psCommand(): Command {
  return new Command("ps")
    .description("list containers")
    .option("-a, --all", "also those that do not run")
    .option("-q, --quiet", "ids only")
    .option("-s, --size", "show how much each has written")
    .option("-n, --last <n>", "the n made last, of all states")
    .option("-l, --latest", "the one made last")
    .option("--no-trunc", "whole ids and commands")
    .option("-f, --filter <key=value>", "id, name, label, status, ancestor and so on; may be repeated", collect)
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, options }) => {
        const { all, filter } = options;
        const limit = options.latest ? "1" : options.last;
        const query = { all, limit, size: options.size, filters: filtersText(filter) };
        const list = await client.get<ContainerSummary[]>("/containers/json", query);
        const rows = list.map((container) => containerRow(container, options.trunc));
        if (options.quiet) return await print(...rows.map((row) => row.ID));
        await printListing({ rows, columns: options.size ? { ...columns, SIZE: "Size" } : columns }, options.format);
      }),
    );
}

const columns = {
  "CONTAINER ID": "ID",
  IMAGE: "Image",
  COMMAND: "Command",
  CREATED: "RunningFor",
  STATUS: "Status",
  PORTS: "Ports",
  NAMES: "Names",
};

/** A container in the fields of `docker ps --format json`. */
export function containerRow(container: ContainerSummary, trunc: boolean) {
  const { Command: command, Mounts, SizeRw = 0, SizeRootFs = 0 } = container;
  return {
    Command: JSON.stringify(trunc && command.length > 20 ? `${command.slice(0, 19)}…` : command),
    CreatedAt: goTime(container.Created),
    ID: trunc ? shortID(container.Id) : container.Id,
    Image: container.Image || "<no image>",
    Labels: Object.entries(container.Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    LocalVolumes: String(Mounts.filter(({ Driver }) => Driver === "local").length),
    Mounts: Mounts.map(({ Name, Source }) => Name ?? Source).join(","),
    Names: container.Names.map((name) => name.replace(/^\//, "")).join(","),
    Networks: Object.keys(container.NetworkSettings.Networks).join(","),
    Ports: container.Ports.map(portText).join(", "),
    RunningFor: ago(container.Created),
    Size: SizeRootFs > 0 ? `${size(SizeRw)} (virtual ${size(SizeRootFs)})` : size(SizeRw),
    State: container.State,
    Status: container.Status,
  };
}

function portText({ IP, PrivatePort, PublicPort, Type }: ContainerSummary["Ports"][number]): string {
  const from = PublicPort === undefined ? "" : `${IP ?? "0.0.0.0"}:${PublicPort}->`;
  return `${from}${PrivatePort}/${Type}`;
}
