import { Command } from "commander";
import type { ContainerSummary, StatsSample } from "../../engine/index.js";
import { type Client, pathPart } from "../client.js";
import { type StatsRow, statsRow } from "../format/stats.js";
import { type Format, formatOption, printListing, write } from "../print.js";
import { type Session, talking } from "../session.js";

interface Options {
  readonly all?: boolean;
  readonly stream: boolean;
  readonly trunc: boolean;
  readonly format?: Format;
}

const columns = {
  "CONTAINER ID": "ID",
  NAME: "Name",
  "CPU %": "CPUPerc",
  "MEM USAGE / LIMIT": "MemUsage",
  "MEM %": "MemPerc",
  "NET I/O": "NetIO",
  "BLOCK I/O": "BlockIO",
  PIDS: "PIDs",
};

/** Containers that are looked at at once; each is a request that takes its time. */
const most = 8;

export function statsCommand(): Command {
  return new Command("stats")
    .description("show what containers use, again and again")
    .argument("[container...]", "those that run, unless named")
    .option("-a, --all", "also those that do not run")
    .option("--no-stream", "once")
    .option("--no-trunc", "whole ids")
    .addOption(formatOption())
    .action(
      talking<Options>(
        async (session) => {
          const { options, signal } = session;
          do {
            const rows = await sampled(session);
            if (process.stdout.isTTY && options.stream && options.format !== "json") await write("\x1b[H\x1b[J");
            await printListing({ rows, columns }, options.format);
          } while (options.stream && !signal.aborted);
        },
        { connections: most },
      ),
    );
}

/** A row for each container; one that goes meanwhile has none. Two samples a second apart make it. */
async function sampled({ client, args, options }: Session<Options>): Promise<StatsRow[]> {
  const names = args.length > 0 ? args : await listed(client, options);
  const samples = names.map((name) => client.get<StatsSample>(`/containers/${pathPart(name)}/stats`, { stream: "0" }));
  const found = await Promise.allSettled(samples);
  const failed = found.find((result) => result.status === "rejected");
  if (failed && args.length > 0) throw failed.reason;
  return found.flatMap((result) => (result.status === "fulfilled" ? [statsRow(result.value, options.trunc)] : []));
}

async function listed(client: Client, { all = false }: Options): Promise<string[]> {
  return (await client.get<ContainerSummary[]>("/containers/json", { all })).map(({ Id }) => Id);
}
