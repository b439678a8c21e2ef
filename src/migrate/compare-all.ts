import type { Layer, RWLayer } from "../layer/index.js";
import { type CacheID, DataLoss, messageOf, shortID } from "../spec/index.js";
import type { Progress } from "./report.js";
import { bottomUp, type Opened, type Source } from "./root.js";
import { migrateThreads } from "./threads.js";

/** Compares what images and containers show when they are mounted. @throws DataLoss: the first that would not be the same */
export async function compareAll(source: Source, target: Opened, { tell, signal }: Progress): Promise<void> {
  const tops = topsOf(source);
  for (const [at, layer] of tops.entries()) {
    signal.throwIfAborted();
    const id = `image ${at + 1}/${tops.length}`;
    tell({ id, status: "Comparing", progressDetail: { current: 0, total: layer.size } });
    await compare(source, target, layer.cacheID, `layer ${shortID(layer.chainID)}`);
    tell({ id, status: "shows the same files" });
  }
  const writable = source.layers.rw.list();
  for (const [at, rw] of writable.entries()) {
    signal.throwIfAborted();
    const [id, short] = [`container ${at + 1}/${writable.length}`, shortID(rw.name)];
    tell({ id, status: "Comparing", progressDetail: { current: 0 } });
    await compare(source, target, rw.mountID, `container ${short}`, await uppersOf([source, target], rw));
    tell({ id, status: `${short} shows the same files` });
  }
}

/** Layers that images or containers lie on, and those that nothing does. */
function topsOf({ layers, images }: Source): readonly Layer[] {
  const users = [...images.list().map(({ topLayer }) => topLayer), ...layers.rw.list().map(({ parent }) => parent)];
  const tops = new Set(users);
  const below = new Set(layers.list().map(({ parent }) => parent));
  return bottomUp(layers).filter(({ chainID }) => tops.has(chainID) || !below.has(chainID));
}

async function compare(source: Opened, target: Opened, id: CacheID, what: string, uppers?: readonly string[]) {
  try {
    await using a = await source.driver.mount(id);
    await using b = await target.driver.mount(id);
    const job = { kind: "compare", a: a.path, b: b.path, ...(uppers && { uppers }) } as const;
    const difference = await migrateThreads.run<string | undefined>(job);
    if (difference === undefined) return;
    throw new DataLoss(`it would not be the same with ${target.name}: ${difference}`);
  } catch (error) {
    const remedy = "nothing is switched; without it (docker save keeps it) the migration can go on";
    throw new DataLoss(`${what}: ${messageOf(error)}; ${remedy}`, { cause: error });
  }
}

/** Where a container can differ from its image, which has been compared; undefined: the drivers do not tell. */
async function uppersOf(sides: readonly Opened[], { mountID, initID }: RWLayer): Promise<string[] | undefined> {
  const uppers: string[] = [];
  for (const { driver } of sides) {
    for (const id of initID ? [mountID, initID] : [mountID]) {
      const { UpperDir } = await driver.metadata(id);
      if (UpperDir === undefined) return undefined;
      uppers.push(UpperDir);
    }
  }
  return uppers;
}
