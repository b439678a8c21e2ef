import { type CacheID, NotFound, shortID } from "../../spec/index.js";
import { pathExists } from "../layer-names.js";
import type { Begun } from "../layer-uses.js";
import { beginMerged } from "../mount/merged-view.js";
import type { OverlayFeatures, OverlayStack } from "../mount/overlay-mount.js";
import type { Home } from "./home.js";

/**
 * The tree of a layer with all below it: mounted read-write, or read-only once another layer is upon it. A mount that
 * a crash has left is taken over. A layer over nothing is its own directory.
 *
 * @throws NotFound
 */
export async function mergedView(home: Home, id: CacheID, features: OverlayFeatures): Promise<Begun> {
  if (!(await home.has(id))) throw new NotFound(`there is no layer ${shortID(id)}`);
  const lowers = await home.lowers(id);
  if (lowers === undefined) return { path: home.file(id, "diff"), end: async () => {} };
  return beginMerged(home.path, await stackOf(home, id, lowers), features);
}

async function stackOf(home: Home, id: CacheID, lowers: string[]): Promise<OverlayStack> {
  const target = `${id}/merged`;
  if (await pathExists(home.file(id, "committed"))) return { lowers: [`${id}/diff`, ...lowers], target };
  return { lowers, upper: { dir: `${id}/diff`, work: `${id}/work` }, target };
}
