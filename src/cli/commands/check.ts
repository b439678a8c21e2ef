import { Command } from "commander";
import type { CheckEvent, Report } from "../../doctor/index.js";
import { json, lines } from "../check/report-lines.js";
import type { Client } from "../client.js";
import { connect } from "../connect.js";
import { type Format, formatOption, print } from "../print.js";
import { alone } from "../session.js";
import type { Settings } from "../settings.js";
import { shown } from "../shown.js";

interface Options {
  readonly deep?: boolean;
  readonly format?: Format;
}

/** So that who watches over machines can tell a root that is damaged from one that could not be looked at. */
const status = { found: 1, failed: 3 };

export function checkCommand(): Command {
  return new Command("check")
    .description("find what is wrong with a data root, dockerd's or ours; changes nothing")
    .option("--deep", "compare every byte of every layer, too")
    .addOption(formatOption())
    .addHelpText(
      "after",
      "\nExit status: 0 nothing but oddities, 1 damage or leftovers, 2 wrong usage, 3 it cannot be checked.",
    )
    .action(
      alone<Options>(
        async ({ settings, options: { deep = false, format }, interrupt }) => {
          const report = await reported(settings, deep, interrupt.stop);
          for (const note of report.notes) process.stderr.write(`layerkit: ${note}\n`);
          const { nameOf, stepText } = await import("../../doctor/index.js");
          await print(
            ...(format === "json" ? json(report, { nameOf, stepText }) : lines(report, { nameOf, stepText })),
          );
          if (report.findings.some(({ severity }) => severity !== "oddity")) process.exitCode = status.found;
        },
        { failed: status.failed },
      ),
    );
}

/** The root is read as it lies there, whoever has it; only a daemon that is named is asked instead. */
async function reported(settings: Settings, deep: boolean, signal: AbortSignal): Promise<Report> {
  if (settings.sockets.length === 0) return await shown(await ofRoot(settings, deep, signal));
  const { client, end } = await connect(settings, signal);
  try {
    return await shown(ofDaemon(client, deep));
  } finally {
    await end(signal);
  }
}

async function* ofDaemon(client: Client, deep: boolean): AsyncIterable<CheckEvent> {
  const reply = await client.send("GET", "/layerkit/check", { query: { deep } });
  yield* reply.lines<CheckEvent>();
}

async function ofRoot(
  { root, driver }: Settings,
  deep: boolean,
  signal: AbortSignal,
): Promise<AsyncIterable<CheckEvent>> {
  const { checkRoot, dockerdOn, ownerOf, readRoot } = await import("../../doctor/index.js");
  const state = await readRoot(root, driver);
  const owner = await ownerOf(state.root);
  const [who, holder] = owner ? ["layerkit", owner] : ["a dockerd", await dockerdOn(state.root)];
  if (holder) {
    const process_ = holder.pid === undefined ? "" : ` (process ${holder.pid})`;
    const what = `${who}${process_} is at work in ${state.root}`;
    process.stderr.write(`layerkit: ${what}: what is found may be of a moment in between; check again, or at rest\n`);
  }
  return checkRoot(state, { deep, isLive: holder !== undefined, signal });
}
