import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { syncFileSystem } from "../src/disk/index.js";
import { messageOf, Undo } from "../src/spec/index.js";
import { pingsUntil } from "../test/oracle/pings.js";
import { lacking } from "../test/oracle/programs.js";
import { prepare } from "../test/setup/install.js";
import { benchPackages, packages } from "../test/setup/packages.js";
import { atRest, told } from "./at-rest.js";
import type { Contender } from "./contenders.js";
import { floors } from "./floor.js";
import { optionsOf } from "./options.js";
import { type Sample, sampled } from "./sample.js";
import { type Stage, setStage } from "./stage.js";
import { tableOf } from "./table.js";
import type { Work } from "./work.js";

/**
 * Prints how long the work of an image store takes, how much processor time and memory it costs, against whoever else
 * is installed, in turn on one XFS in memory, and what the kernel alone needs for it. No test: nothing passes or fails.
 *
 *     npm run bench [-- --rounds 3] [--contenders layerkit,dockerd] [pull save …]
 *
 * `large`, a pull of an image three times as large, is done only when it is named.
 */
const options = optionsOf(process.argv.slice(2));
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupt.abort());
const failures = new Map<string, string>();
/** Most threads without work end after a minute; a runtime of Go gives memory back as late. */
const restMs = 90_000;

await prepare({ ...packages, ...benchPackages });
if (lacking("root", "mounts", "loop", "mkfs.xfs", "mmdebstrap", "docker", "docker-registry", "skopeo") === undefined) {
  await using undo = new Undo();
  try {
    await perform(await setStage(options, undo));
  } catch (error) {
    if (!interrupt.signal.aborted) console.error(`bench: ${messageOf(error)}`);
    process.exitCode = interrupt.signal.aborted ? 130 : 1;
  }
}

async function perform(stage: Stage): Promise<void> {
  const samples = new Map<Work, Map<string, Sample[]>>();
  // Memory that nobody has written to yet is slow here: the first round is not counted.
  for (let round = 0; round <= options.rounds; round++) {
    process.stdout.write(round === 0 ? "warming up:" : `round ${round} of ${options.rounds}:`);
    for (const work of stage.works) {
      process.stdout.write(` ${work.name}`);
      for (const [name, sample] of await playedBy(stage, work)) {
        const rows = samples.get(work) ?? new Map<string, Sample[]>();
        samples.set(work, rows);
        if (round > 0) rows.set(name, [...(rows.get(name) ?? []), sample]);
      }
    }
    console.log();
  }
  for (const [{ title }, rows] of samples) {
    console.log(
      `\n${tableOf(
        title,
        [...rows].map(([name, samples]) => ({ name, samples })),
      )}`,
    );
  }
  await tellPings(stage);
  await tellAtRest(stage);
  for (const [who, why] of failures) console.log(`\n${who}: ${why}`);
}

/** The work, by each who can do it, in turn; and the floors of a pull. */
async function playedBy({ contenders, disk, image }: Stage, work: Work): Promise<Map<string, Sample>> {
  const played = new Map<string, Sample>();
  for (const contender of contenders.filter((each) => canDo(each, work))) {
    try {
      played.set(contender.name, await once(contender, work, disk));
    } catch (error) {
      interrupt.signal.throwIfAborted();
      failures.set(`${work.title}, ${contender.name}`, messageOf(error));
    }
    interrupt.signal.throwIfAborted();
  }
  if (work.name === "pull")
    for (const [name, sample] of await floors(image, join(disk, "floor"))) played.set(name, sample);
  return played;
}

function canDo({ name, socket }: Contender, { by, byPulling = false }: Work): boolean {
  return by ? by.includes(name) : byPulling || socket !== undefined;
}

async function once(contender: Contender, { enter, prepare, run, after, pids }: Work, disk: string): Promise<Sample> {
  await enter(contender);
  await prepare?.(contender);
  try {
    await syncFileSystem(disk); // what others have left to be written is not this one's
    return await sampled(await (pids?.() ?? contender.pids()), () => run(contender));
  } finally {
    await after?.(contender);
  }
}

/** What it costs to have containers. */
async function tellAtRest({ contenders, works }: Stage): Promise<void> {
  const work = works.find(({ name }) => name === "run");
  if (!work) return;
  console.log("\nmemory at rest, a minute and a half after the last work");
  await delay(restMs, undefined, { signal: interrupt.signal });
  for (const contender of contenders.filter(({ socket }) => socket !== undefined)) {
    await work.enter(contender);
    console.log(told(contender.name, await atRest(contender)));
    interrupt.signal.throwIfAborted();
  }
}

/** Whether others are answered while images come in. */
async function tellPings({ contenders, works }: Stage): Promise<void> {
  for (const { title, enter, run } of works.filter(({ name }) => name === "pull" || name === "load")) {
    console.log(`\n_ping during: ${title}`);
    for (const contender of contenders) {
      if (contender.socket === undefined || failures.has(`${title}, ${contender.name}`)) continue;
      await enter(contender);
      const { median, worst, count } = await pingsUntil(contender.socket, run(contender));
      console.log(`  ${contender.name.padEnd(12)} median ${median} ms, worst ${worst} ms of ${count}`);
      interrupt.signal.throwIfAborted();
    }
  }
}
