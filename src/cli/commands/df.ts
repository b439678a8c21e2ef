import { Command } from "commander";
import type { RootState, Usage } from "../../doctor/index.js";
import { goJSON } from "../../spec/index.js";
import { byDriver } from "../df/by-driver.js";
import { sharingOf } from "../df/sharing.js";
import { details, summary } from "../df/tables.js";
import { size } from "../format/size.js";
import { treeLines } from "../format/tree.js";
import { cacheDirectory } from "../places.js";
import { type Format, formatOption, print, printListing } from "../print.js";
import { alone } from "../session.js";
import { surveyed } from "../survey.js";

interface Options {
  readonly verbose?: boolean;
  readonly exact?: boolean;
  readonly byDriver?: boolean;
  readonly format?: Format;
}

export function dfCommand(): Command {
  return new Command("df")
    .description("show what takes how much of the disk; all together it is what du says of the data root")
    .option("-v, --verbose", "each image, container and volume, and who shares what with whom")
    .option("--exact", "count anew what was counted before, and blocks that files share by reflinks once")
    .option("--by-driver", "instead, the inodes that each image takes with either driver")
    .addOption(formatOption())
    .action(
      alone<Options>(async ({ settings, options, interrupt }) => {
        if (options.byDriver) return await printListing(await byDriver(settings, interrupt), options.format);
        const { exact = false, verbose = false, format } = options;
        const usage = await surveyed<Usage>(settings, interrupt.stop, {
          ask: (client) => client.get("/layerkit/df", { exact }),
          brief: true,
          read: (state) => measured(state, exact, interrupt.stop),
        });
        if (verbose && format === "json") return await print(goJSON(usage));
        if (verbose) await printDetails(usage);
        await printListing(summary(usage), format);
        if (format !== "json") await print(...remarks(usage));
      }),
    );
}

async function measured(state: RootState, exact: boolean, signal: AbortSignal): Promise<Usage> {
  const { Memory, usageOf } = await import("../../doctor/index.js");
  const memory = Memory.of(state, cacheDirectory());
  const usage = await usageOf(state, { exact, memory, signal });
  await memory.save();
  return usage;
}

async function printDetails(usage: Usage): Promise<void> {
  for (const [title, listing] of details(usage)) {
    await print(`${title} space usage:`, "");
    await printListing(listing, undefined);
    await print("");
  }
  await print("Who lies on what:", "", ...treeLines(sharingOf(usage)), "");
}

/** What the numbers are, where that is not plain. */
function remarks({ Remembered, Reflinked }: Usage): string[] {
  const remembered = `Sizes of layers and stopped containers that are remembered: ${Remembered}. --exact counts anew.`;
  const reflinked = `Of the total ${size(Reflinked ?? 0, 4)} are counted more than once, here and by du: files share these blocks.`;
  return [...(Remembered > 0 ? ["", remembered] : []), ...((Reflinked ?? 0) > 0 ? ["", reflinked] : [])];
}
