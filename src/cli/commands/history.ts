import { Command } from "commander";
import type { ImageHistoryItem } from "../../engine/index.js";
import { rfc3339, shortID } from "../../spec/index.js";
import { pathPart } from "../client.js";
import { size } from "../format/size.js";
import { ago } from "../format/time.js";
import { type Format, formatOption, print, printListing } from "../print.js";
import { talking } from "../session.js";

interface Options {
  readonly human?: string;
  readonly quiet?: boolean;
  readonly trunc: boolean;
  readonly format?: Format;
}

export function historyCommand(): Command {
  return new Command("history")
    .description("show how an image came to be, newest step first")
    .argument("<image>")
    .option("-H, --human [yes]", "sizes and times for people (default true)")
    .option("-q, --quiet", "ids only")
    .option("--no-trunc", "whole ids and commands")
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, args: [name = ""], options }) => {
        const items = await client.get<ImageHistoryItem[]>(`/images/${pathPart(name)}/history`);
        const human = !["false", "0"].includes(String(options.human));
        const rows = items.map((item) => historyRow(item, { human, trunc: options.trunc }));
        if (options.quiet) return await print(...rows.map((row) => row.ID));
        await printListing({ rows, columns: human ? forPeople : exact }, options.format);
      }),
    );
}

const forPeople = { IMAGE: "ID", CREATED: "CreatedSince", "CREATED BY": "CreatedBy", SIZE: "Size", COMMENT: "Comment" };
const exact = { IMAGE: "ID", "CREATED AT": "CreatedAt", "CREATED BY": "CreatedBy", SIZE: "Size", COMMENT: "Comment" };

function historyRow(item: ImageHistoryItem, { human, trunc }: { human: boolean; trunc: boolean }) {
  const by = item.CreatedBy.replaceAll("\t", " ");
  return {
    Comment: item.Comment,
    CreatedAt: item.Created > 0 ? rfc3339(BigInt(item.Created) * 1_000_000_000n) : "N/A",
    CreatedBy: trunc && by.length > 45 ? `${by.slice(0, 44)}…` : by,
    CreatedSince: item.Created > 0 ? ago(item.Created) : "N/A",
    ID: trunc && item.Id !== "<missing>" ? shortID(item.Id) : item.Id,
    Size: human ? size(item.Size) : String(item.Size),
  };
}
