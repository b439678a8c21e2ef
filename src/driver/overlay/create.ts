import { chmodSync, chownSync, lstatSync } from "node:fs";
import { removeTree } from "../../disk/index.js";
import { AlreadyExists, type CacheID, NotFound, shortID, Undo } from "../../spec/index.js";
import type { Copier } from "../copy/copier.js";
import { copyTree } from "../copy/copy-tree.js";
import { makeDirectory, makeFile } from "../layer-files.js";
import { type Home, initOf } from "./home.js";

export interface CreateParts {
  readonly home: Home;
  readonly copier: Copier;
  /** Of overlayfs's own xattrs. */
  readonly xattrPrefix: string;
}

/** Makes a layer's directory, all or nothing: over nothing a tree, else a writable layer. @see docker-data-root 3.2 */
export async function createLayer(parts: CreateParts, id: CacheID, parent?: CacheID): Promise<void> {
  const { home } = parts;
  if (await home.has(id)) throw new AlreadyExists(`layer ${shortID(id)} exists already`);
  if (parent !== undefined && !(await home.has(parent))) {
    throw new NotFound(`there is no layer ${shortID(parent)} to put another upon`);
  }
  await using undo = new Undo();
  undo.defer(() => removeTree(home.layer(id)));
  await makeDirectory(home.layer(id), 0o710);
  if (parent === undefined) await makeDirectory(home.file(id, "root"), 0o755);
  else await putUpon(parts, id, parent);
  undo.done();
}

async function putUpon(parts: CreateParts, id: CacheID, parent: CacheID): Promise<void> {
  const { home } = parts;
  const isOnTree = await home.isTree(parent);
  const lower = isOnTree ? parent : await home.lowerOf(parent);
  await makeFile(home.file(id, "lower-id"), lower, 0o600);
  if (!isOnTree && parent !== initOf(id)) await makeFile(home.file(id, "parent"), parent, 0o600);
  await makeUpper(parts, id, parent);
}

/** The directories of a writable layer. Over another one it begins with what that has: only one tree can be below. */
export async function makeUpper(
  { home, copier, xattrPrefix }: CreateParts,
  id: CacheID,
  parent: CacheID,
): Promise<void> {
  const upper = home.file(id, "upper");
  await makeDirectory(upper, 0o755);
  await makeDirectory(home.file(id, "work"), 0o700);
  if (await home.isTree(parent)) return likeRoot(upper, home.file(parent, "root"));
  const trees = { from: home.file(parent, "upper"), to: upper, overlay: xattrPrefix };
  // An init layer has a dozen entries: a thread would take longer to start.
  if (parent === initOf(id)) copyTree(trees);
  else await copier.copy(trees);
}

/** The root of a mount has the owner and mode of the upper directory. */
function likeRoot(upper: string, root: string): void {
  const { uid, gid, mode } = lstatSync(root);
  chownSync(upper, uid, gid);
  chmodSync(upper, mode & 0o7777);
}
