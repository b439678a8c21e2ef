import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { removeTree } from "../src/disk/index.js";
import { type Driver, openDriver, openWriter } from "../src/driver/index.js";
import {
  changesOf,
  merge,
  type PathChange,
  pathChanges,
  type Tree,
  type TreeChange,
  treeOf,
} from "../src/overlayfs/index.js";
import { type CacheID, randomID, Undo } from "../src/spec/index.js";
import { lacking } from "./oracle/programs.js";
import { readTree } from "./overlay/disk-tree.js";
import { layers } from "./overlay/layers.js";
import { linesOf, now } from "./overlay/lines.js";

const runs = Number(process.env.DRIVER_RUNS ?? 40);

/** Layers as archives may bring them, the root of one now and then opaque. */
const stacks = fc
  .tuple(layers(false), fc.array(fc.nat(3), { minLength: 5, maxLength: 5 }))
  .map(([stack, marks]) => stack.map((layer, at): Tree => (marks[at] === 0 ? { ...layer, opaque: true } : layer)));

describe.skipIf(lacking("root", "mounts")).each(["overlay2", "overlay", "vfs"] as const)("%s and the model", (name) => {
  const root = mkdtempSync(`${existsSync("/dev/shm") ? "/dev/shm" : tmpdir()}/model-`);
  let driver: Driver;
  beforeAll(async () => {
    mkdirSync(`${root}/${name}`);
    driver = await openDriver(name, root);
  });
  afterAll(async () => {
    await driver.close();
    await removeTree(root);
  });

  test("agree on any layers: on the tree they make, the paths that change, and what the topmost is read back as", async () => {
    await fc.assert(
      fc.asyncProperty(stacks, async (stack) => {
        await using undo = new Undo();
        const ids = await filled(driver, stack, undo);
        const [top] = ids.slice(-1);
        // Where layers are whole trees, those below have to be as they were.
        const checked = name === "overlay2" ? ids.length - 1 : 0;
        for (const [at, id] of [...ids.entries()].slice(checked)) {
          expect(await shown(driver, id), `layer ${at}`).toEqual(linesBelowRoot(merge(stack.slice(0, at + 1))));
        }
        const below = merge(stack.slice(0, -1));
        const listed = (await all(driver.changes(top!))).map(lineOf).sort();
        expect(listed).toEqual(pathChanges(below, merge(stack)).map(lineOf).sort());
        const readBack = treeOf(await wholeDiff(driver, top!));
        expect(linesBelowRoot(merge([below, readBack]))).toEqual(linesBelowRoot(merge(stack)));
      }),
      { numRuns: runs },
    );
  });
});

/** Makes a chain of layers, bottom first; `undo` removes them. */
async function filled(driver: Driver, stack: readonly Tree[], undo: Undo): Promise<CacheID[]> {
  const ids: CacheID[] = [];
  for (const layer of stack) {
    const id = randomID();
    await driver.create(id, ids.at(-1));
    undo.defer(() => driver.remove(id));
    ids.push(id);
    await using filling = await driver.fill(id);
    using writer = openWriter(filling.target);
    for (const change of changesOf(layer)) write(writer, change);
    writer.finish();
    await filling.commit();
  }
  return ids;
}

function write(writer: ReturnType<typeof openWriter>, change: TreeChange): void {
  writer.change(change);
  if (change.kind === "file") writer.data(Buffer.from(change.content ?? ""));
}

/** What a layer is read back as, with contents. */
async function wholeDiff(driver: Driver, id: CacheID): Promise<TreeChange[]> {
  const changes: TreeChange[] = [];
  for await (const change of driver.diff(id)) {
    if (change.kind !== "file") changes.push(change);
    else changes.push({ ...change, content: Buffer.concat(await all(change.body)).toString() });
  }
  return changes;
}

async function all<T>(values: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

async function shown(driver: Driver, id: CacheID): Promise<string[]> {
  await using mounted = await driver.mount(id);
  return linesBelowRoot(readTree(mounted.path, now));
}

/** A layer's root keeps the driver's mode, whatever the changes say. */
function linesBelowRoot(tree: Tree): string[] {
  return linesOf(tree).slice(1);
}

function lineOf({ path, kind }: PathChange): string {
  return `${path} ${kind}`;
}
