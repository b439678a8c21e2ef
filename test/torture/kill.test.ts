import { appendFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/index.js";
import { Undo } from "../../src/spec/index.js";
import { BadRegistry } from "../oracle/bad-registry.js";
import { lacking } from "../oracle/programs.js";
import { output } from "../oracle/run.js";
import { collected, streamOf } from "../oracle/sample-image.js";
import { spooled } from "../oracle/saved-images.js";
import { scratch } from "../oracle/scratch.js";
import { killAt, killPoints, type Point } from "./kill.js";
import { type Changes, Ledger, someID } from "./ledger.js";
import { archiveOf, loadable } from "./materials.js";
import { verify } from "./verify.js";

/**
 * Kills each operation with SIGKILL at many points. `npm test` tries one of each, `npm run torture -- calls`
 * every one.
 */
const points = Number(process.env.TORTURE_POINTS ?? 1);
const timeout = points > 100 ? 3_600_000 : 120_000;

const skip = lacking("root", "mounts", "strace");

/** What each operation is told, and what it makes true. */
let operations: Readonly<Record<string, { readonly what: string; readonly changes: Changes }>>;

describe.skipIf(skip)("kill -9", () => {
  let directory: string;
  let base: Ledger;
  const at = (name: string) => join(directory, name);

  beforeAll(async () => {
    const undo = new Undo();
    const place = await scratch();
    undo.defer(() => place[Symbol.asyncDispose]());
    directory = place.path;
    await makeBase(at("base"));
    base = (await verify({ root: at("base"), driver: "overlay2" }, new Ledger())).found;
    const registry = await BadRegistry.start();
    undo.defer(() => registry[Symbol.asyncDispose]());
    registry.addImage("pulled:1", loadable(4).layers);
    const archive = await spooled(streamOf(archiveOf(loadable(3), "loaded:1")), at("loaded.tar"));
    const pulled = `${registry.host}/pulled:1`;
    operations = {
      load: { what: archive, changes: new Map([["loaded:1", loadable(3).id]]) },
      pull: { what: pulled, changes: new Map([[pulled, loadable(4).id]]) },
      create: { what: "", changes: new Map([["/new", someID]]) },
      commit: { what: "", changes: new Map([["committed:1", someID]]) },
      rm: { what: "", changes: new Map([["/changed", undefined]]) },
      rmi: { what: "", changes: new Map([["unused:1", undefined]]) },
    };
    return () => undo[Symbol.asyncDispose]();
  });

  /** A fresh copy of the base root, for one round. */
  async function copyOfBase(name: string): Promise<string> {
    await output("rm", ["-rf", at(name)]);
    await output("cp", ["-a", at("base"), at(name)]);
    return at(name);
  }

  /** @returns whether it came to be killed */
  async function killed(name: string, point: Point): Promise<boolean> {
    const { what, changes } = operations[name]!;
    const root = await copyOfBase("round");
    const { done, survived } = await killAt(point, [root, name, what]);
    const ledger = base.copy();
    if (done) await ledger.during(changes, async () => {});
    else void ledger.during(changes, () => new Promise(() => {}));
    expect(
      (await verify({ root, driver: "overlay2" }, ledger)).losses,
      `${name} at ${point.call} ${point.nth}`,
    ).toEqual([]);
    return !survived;
  }

  test.for(["load", "pull", "create", "commit", "rm", "rmi"])(
    "at a call of %s leaves a whole root",
    { timeout },
    async (name) => {
      const all = await killPoints([await copyOfBase("count"), name, operations[name]!.what], at("calls"));
      const wanted = Math.min(points, all.length);
      let kills = 0;
      // Threads do not make the same calls each time: a point that is not reached again is made up for by another.
      for (const point of spread(all, 3 * wanted)) if (kills < wanted && (await killed(name, point))) kills++;
      console.log(`${name}: killed at ${kills} of ${all.length} points`);
      expect(kills, "most points are reached again").toBeGreaterThanOrEqual(wanted / 2);
    },
  );
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

/** `count` of them, evenly over the whole; all, if there are no more. */
function spread<T>(all: readonly T[], count: number): T[] {
  if (count >= all.length) return [...all];
  return Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)] as T);
}
