import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import type { ContainersPruned, ImagesPruned, VolumesPruned } from "../../engine/index.js";
import { goJSON } from "../../spec/index.js";
import { WrongUsage } from "../failure.js";
import { filtersText } from "../filters.js";
import { size } from "../format/size.js";
import { print } from "../print.js";
import { type Session, talking } from "../session.js";
import { collect } from "../settings.js";
import { removalLines } from "./rmi.js";

interface Options {
  readonly all?: boolean;
  readonly volumes?: boolean;
  readonly force?: boolean;
  readonly filter?: readonly string[];
}

export function pruneCommand(): Command {
  return new Command("prune")
    .description("remove stopped containers and unused images")
    .option("-a, --all", "all images that no container uses, not just untagged ones")
    .option("--volumes", "also anonymous volumes that no container uses")
    .option("-f, --force", "do not ask")
    .option("--filter <key=value>", "until=TIME, label=KEY[=VALUE] or label!=…; may be repeated", collect)
    .action(
      talking<Options>(async (session) => {
        assertFilters(session.options);
        if (!session.options.force && !(await confirmed(session))) return;
        await prune(session);
      }),
    );
}

/** Before anything goes: volumes do not tell when they were made. */
function assertFilters({ volumes, filter = [] }: Options): void {
  const keys = filter.map((each) => each.replace(/=.*/s, "").trim().toLowerCase());
  if (volumes && keys.includes("until")) throw new WrongUsage('the "until" filter is not supported with "--volumes"');
}

async function prune({ client, options }: Session<Options>): Promise<void> {
  const filters = filtersText(options.filter);
  const dangling = goJSON({ ...JSON.parse(filters ?? "{}"), dangling: { [String(!options.all)]: true } });
  const containers = await client.post<ContainersPruned>("/containers/prune", { query: { filters } });
  await section("Deleted Containers:", containers.ContainersDeleted ?? []);
  const volumes = options.volumes && (await client.post<VolumesPruned>("/volumes/prune", { query: { filters } }));
  if (volumes) await section("Deleted Volumes:", volumes.VolumesDeleted ?? []);
  const images = await client.post<ImagesPruned>("/images/prune", { query: { filters: dangling } });
  await section("Deleted Images:", removalLines((images.ImagesDeleted ?? []) as Record<string, string>[]));
  const bytes = [containers, volumes || undefined, images].reduce((sum, part) => sum + (part?.SpaceReclaimed ?? 0), 0);
  await print(`Total reclaimed space: ${size(bytes, 4)}`);
}

async function section(title: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await print(title, ...lines, "");
}

async function confirmed({ options, signal }: Session<Options>): Promise<boolean> {
  if (!process.stdin.isTTY) throw new WrongUsage("prune asks before it removes: give --force where nobody can answer");
  const what = [
    "all stopped containers",
    ...(options.volumes ? ["all anonymous volumes not used by a container"] : []),
    options.all ? "all images without a container" : "all untagged images",
  ];
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await ask.question(`This will remove:\n  - ${what.join("\n  - ")}\nContinue? [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    ask.close();
  }
}
