import { appendFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/index.js";
import { lacking } from "../oracle/programs.js";
import { leftovers } from "../oracle/root-leftovers.js";
import { output } from "../oracle/run.js";
import { collected, streamOf } from "../oracle/sample-image.js";
import { savedImages, spooled } from "../oracle/saved-images.js";
import { type Scratch, scratch } from "../oracle/scratch.js";
import { type Killed, killAt, killPoints } from "./kill.js";
import { archiveOf, loadable } from "./materials.js";

/**
 * Kills load, create, commit, rm and rmi with SIGKILL at many points. `npm test` tries some points of each, spread
 * over all; `npm run torture -- calls` tries every one.
 */
const points = Number(process.env.TORTURE_POINTS ?? 2);
const timeout = points > 100 ? 3_600_000 : 120_000;

const skip = lacking("root", "mounts", "strace");

/** An operation, and what must be there after it, and also if it was killed before it was acknowledged. */
interface Operation {
  readonly name: string;
  readonly before: State;
  readonly after: State;
}

/** What a root lists. */
interface State {
  readonly images: readonly string[];
  readonly containers: readonly string[];
}

const base: State = { images: ["base:1", "unused:1"], containers: ["/changed"] };
const operations: readonly Operation[] = [
  { name: "load", before: base, after: { ...base, images: [...base.images, "loaded:1"] } },
  { name: "create", before: base, after: { ...base, containers: ["/changed", "/new"] } },
  { name: "commit", before: base, after: { ...base, images: [...base.images, "committed:1"] } },
  { name: "rm", before: base, after: { ...base, containers: [] } },
  { name: "rmi", before: base, after: { ...base, images: ["base:1"] } },
];

describe.skipIf(skip)("kill -9", () => {
  let scratchDirectory: Scratch;
  let archive: string;

  beforeAll(async () => {
    scratchDirectory = await scratch();
    await makeBase(join(scratchDirectory.path, "base"));
    archive = await spooled(streamOf(archiveOf(loadable(3), "loaded:1")), join(scratchDirectory.path, "loaded.tar"));
    return () => scratchDirectory[Symbol.asyncDispose]();
  });

  /** A fresh copy of the base root, for one round. */
  async function round(name: string, kill: (args: readonly string[]) => Promise<Killed>, { before, after }: Operation) {
    const root = join(scratchDirectory.path, "round");
    await output("rm", ["-rf", root]);
    await output("cp", ["-a", join(scratchDirectory.path, "base"), root]);
    const killed = await kill([root, name, archive]);
    await verify(root, killed, before, after);
    return killed;
  }

  test.for(operations)("at a call of $name leaves a whole root", { timeout }, async (operation) => {
    const { name } = operation;
    const root = join(scratchDirectory.path, "count");
    await output("cp", ["-a", join(scratchDirectory.path, "base"), root]);
    const all = await killPoints([root, name, archive], join(scratchDirectory.path, "calls"));
    await output("rm", ["-rf", root]);
    const chosen = spread(all, points);
    let kills = 0;
    for (const point of chosen) {
      const { survived } = await round(name, (args) => killAt(point, args), operation);
      if (!survived) kills++;
    }
    console.log(`${name}: killed at ${kills} of ${all.length} points`);
    expect(kills, "most points are reached again").toBeGreaterThanOrEqual(chosen.length / 2);
  });
});

async function makeBase(root: string): Promise<void> {
  await using engine = await Engine.open({ root });
  await collected(engine.images.load(streamOf(archiveOf(loadable(1), "base:1"))));
  await collected(engine.images.load(streamOf(archiveOf(loadable(2), "unused:1"))));
  await engine.containers.create({ Image: "base:1", Cmd: ["sh"] }, { name: "changed" });
  await using mounted = await engine.containers.mount("changed");
  await writeFile(join(mounted.path, "new"), "new\n");
  await appendFile(join(mounted.path, "etc/file-2"), "more\n");
  await unlink(join(mounted.path, "etc/file-3"));
}

/** `count` of them, evenly over the whole. */
function spread<T>(all: readonly T[], count: number): T[] {
  return all.filter((_, i) => Math.floor((i * count) / all.length) !== Math.floor(((i - 1) * count) / all.length));
}

/** Opens the root as the next start would, and looks at everything in it. */
async function verify(root: string, killed: Killed, before: State, after: State): Promise<void> {
  const reports: string[] = [];
  await using engine = await Engine.open({ root, report: (line) => reports.push(line) });
  const listed = await engine.images.list({ all: true });
  // An image is there before its name, and after it: between the two it is whole, and has none, as with dockerd.
  const images = listed.flatMap(({ RepoTags }) => RepoTags).sort();
  const containers = (await engine.containers.list({ all: true })).flatMap(({ Names }) => Names).sort();
  const state = { images, containers };
  const sorted = ({ images, containers }: State) => ({
    images: [...images].sort(),
    containers: [...containers].sort(),
  });
  const allowed = killed.done ? [sorted(after)] : [sorted(before), sorted(after)];
  expect(allowed, reports.join("\n")).toContainEqual(state);
  expect(await leftovers(root), reports.join("\n")).toEqual([]);
  if (listed.length > 0) {
    const ids = listed.map(({ Id }) => Id);
    const saved = await savedImages(await spooled(await engine.images.save(ids), join(root, "../saved.tar")));
    for (const { layers, diffIDs } of saved) expect(layers).toEqual(diffIDs);
  }
  for (const name of containers) {
    await using mounted = await engine.containers.mount(name);
    expect(mounted.path).toContain(root);
  }
}
