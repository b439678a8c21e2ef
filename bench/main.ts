import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pingsUntil } from "../test/oracle/pings.js";
import { find, lacking } from "../test/oracle/programs.js";
import { loopDisk, scratch } from "../test/oracle/scratch.js";
import { prepare } from "../test/setup/install.js";
import { benchPackages, packages } from "../test/setup/packages.js";
import { type Contender, startDockerd, startLayerkit } from "./contenders.js";
import { forget, layersOf, unpackAll } from "./floor.js";
import { referenceImage } from "./reference-image.js";
import { containerTars, type Work, works } from "./work.js";

/**
 * Prints how long the work of an image store takes, against dockerd where it is installed, in turn on one XFS in
 * memory, and what GNU tar alone needs to write the layers. No test: nothing here passes or fails.
 *
 * Usage: npm run bench [-- ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 3);

await prepare({ ...packages, ...benchPackages });
if (lacking("root", "mounts", "loop", "mkfs.xfs", "mmdebstrap") !== undefined) process.exit(1);
await measure();

async function measure(): Promise<void> {
  await using memory = await scratch("/dev/shm");
  await using disk = await loopDisk("xfs", "8G");
  const archive = join(memory.path, "reference.tar");
  await copyFile(await referenceImage(), archive);
  const tars = await containerTars(memory.path);
  const layers = await layersOf(archive, join(memory.path, "layers"));
  await using ours = await startLayerkit(join(disk.path, "layerkit"));
  await using theirs = find("dockerd") ? await startDockerd(join(disk.path, "docker")) : undefined;
  const contenders: Contender[] = theirs ? [ours, theirs] : [ours];
  const times = new Map<string, number[]>();
  const add = (key: string, ms: number) => times.set(key, [...(times.get(key) ?? []), ms]);
  for (let round = 1; round <= rounds; round++) {
    for (const work of works({ archive, ...tars })) {
      for (const contender of contenders) add(`${work.name} ${contender.name}`, await timed(work, contender));
      if (work.name.startsWith("load, 6")) add("floor", await floor(layers, join(disk.path, "floor")));
    }
    console.log(`round ${round} of ${rounds} done`);
  }
  printTable(works({ archive, ...tars }), contenders, times);
  console.log(`\ntar -x of all layers, the floor of load: ${seconds(median(times.get("floor") ?? []))}`);
  await printPings(archive, ours.socket);
  for (const { name, peakMemory } of contenders) {
    console.log(`peak memory of ${name}: ${Math.round((await peakMemory()) / 1e6)} MB`);
  }
}

/** Whether a load leaves the daemon free for others. */
async function printPings(archive: string, socket: string): Promise<void> {
  const [load] = works({ archive, changes: "", data: "" });
  const { median, worst, count } = await pingsUntil(socket, load?.run(socket) ?? Promise.resolve());
  console.log(`_ping of layerkit during a load: median ${median} ms, worst ${worst} ms of ${count}`);
}

async function timed({ prepare, run, after }: Work, { socket }: Contender): Promise<number> {
  await prepare?.(socket);
  const start = performance.now();
  await run(socket);
  const took = performance.now() - start;
  await after?.(socket);
  return took;
}

async function floor(layers: readonly string[], into: string): Promise<number> {
  await mkdir(into);
  const start = performance.now();
  await unpackAll(layers, into);
  const took = performance.now() - start;
  await forget(into);
  return took;
}

function printTable(
  all: readonly Work[],
  contenders: readonly Contender[],
  times: ReadonlyMap<string, number[]>,
): void {
  const cells = (row: readonly string[]) => row.map((cell, i) => (i === 0 ? cell.padEnd(32) : cell.padStart(12)));
  console.log(`\n${cells(["work", ...contenders.map(({ name }) => name), "ratio"]).join("")}`);
  for (const { name } of all) {
    const [ours = 0, theirs] = contenders.map((each) => median(times.get(`${name} ${each.name}`) ?? []));
    const ratio = theirs === undefined ? "" : (ours / theirs).toFixed(2);
    const shown = [ours, theirs].filter((ms) => ms !== undefined).map(seconds);
    console.log(cells([name, ...shown, ratio]).join(""));
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
