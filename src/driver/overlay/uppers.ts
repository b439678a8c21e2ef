import type { CacheID } from "../../spec/index.js";
import type { DiffSource } from "../driver.js";
import { hasRedirects } from "../read/redirects.js";
import type { Home } from "./home.js";

/**
 * Where to read what a writable layer changes, without a mount.
 *
 * @param parent the image layer or the writable layer, on the same tree, that it was made upon
 * @returns undefined: only the merged trees tell
 */
export async function uppersOf(
  home: Home,
  id: CacheID,
  parent: CacheID,
  xattrPrefix: string,
): Promise<DiffSource | undefined> {
  if (await home.isTree(id)) return undefined;
  const below = await home.lowerOf(id);
  const isOnTree = await home.isTree(parent);
  if (below !== (isOnTree ? parent : await home.lowerOf(parent))) return undefined;
  const uppers = { upper: home.file(id, "upper"), ...(!isOnTree && { lower: home.file(parent, "upper") }) };
  for (const upper of Object.values(uppers)) if (await hasRedirects(upper, xattrPrefix)) return undefined;
  return { kind: "uppers", ...uppers, tree: home.file(below, "root"), xattrPrefix };
}
