import type { FillRW, RWLayer } from "../layer/index.js";
import type { CacheID } from "../spec/index.js";
import type { CarryJob, From, To } from "./jobs.js";
import type { Opened } from "./root.js";
import { migrateThreads } from "./threads.js";

/**
 * Gives a writable layer and its init layer the content that they have with another driver.
 *
 * @param copied told how many bytes of file content had to be copied
 */
export function fillLike(source: Opened, target: Opened, rw: RWLayer, copied: (bytes: number) => void): FillRW {
  return async (id, scratch) => {
    const isInit = id === rw.initID;
    const isUponImage = isInit || rw.initID === undefined || target.driver.name === "overlay";
    const below = isUponImage ? belowOf(source, rw) : rw.initID;
    const from = await fromOf(source, id, below);
    const to = await toOf(target, id);
    const init = isInit ? undefined : await initFor(from.holdsInit ? source : target, rw);
    const job: CarryJob = { kind: "carry", from: from.from, to, scratch, ...(init && { init }) };
    copied(await migrateThreads.run<number>(job));
  };
}

function belowOf({ layers }: Opened, { parent }: RWLayer): CacheID | undefined {
  return parent && layers.get(parent).cacheID;
}

async function initFor({ driver }: Opened, { initID }: RWLayer): Promise<string | undefined> {
  return initID && (await driver.metadata(initID)).UpperDir;
}

async function fromOf({ driver }: Opened, id: CacheID, below: CacheID | undefined) {
  const upper = (await driver.metadata(id)).UpperDir;
  const holdsInit = driver.name === "overlay";
  if (upper !== undefined) return { from: { upper, holdsInit } satisfies From, holdsInit };
  const tree = await treeOf(driver, id);
  const lower = below && (await treeOf(driver, below));
  const changes = { kind: "trees", upper: tree, ...(lower && { lower }) } as const;
  return { from: { tree, changes } satisfies From, holdsInit };
}

async function toOf({ driver }: Opened, id: CacheID): Promise<To> {
  const upper = (await driver.metadata(id)).UpperDir;
  return upper === undefined ? { tree: await treeOf(driver, id) } : { upper, holdsInit: driver.name === "overlay" };
}

/** For drivers that mount nothing: the directory is where it is whoever uses it. */
async function treeOf(driver: Opened["driver"], id: CacheID): Promise<string> {
  await using mounted = await driver.mount(id);
  return mounted.path;
}
