import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mountsBelow } from "../disk/index.js";
import { ownersAreLimited } from "../driver/index.js";
import { isCacheID, shortID } from "../spec/index.js";
import { contents, layersIn, names, type Source } from "./root.js";

/** What keeps a migration from being done, one line each. */
export function obstaclesFor(source: Source, to: string): string[] {
  const { root, name: from, containers } = source;
  const found: string[] = [];
  if (ownersAreLimited()) found.push("root is needed: owners, devices and overlayfs's marks cannot be set without");
  const { uid, gid } = lstatSync(join(root, from));
  if (uid + gid > 0)
    found.push(`${join(root, from)} belongs to ${uid}:${gid}: roots of dockerd --userns-remap cannot be migrated`);
  for (const { id, name, pid } of containers) {
    if (pid > 0 && existsSync(`/proc/${pid}`))
      found.push(`container ${name || shortID(id)} runs (process ${pid}): stop it`);
  }
  const taken = contents(root, to) + layersIn(root, to);
  if (taken > 0) found.push(`there are images, containers or layers of ${to} already: save and remove them first`);
  for (const home of [from, to, "image", "containers"]) {
    if (isMountPoint(root, home))
      found.push(`${join(root, home)} is a file system of its own: files cannot be linked there`);
  }
  return found;
}

function isMountPoint(root: string, name: string): boolean {
  const path = join(root, name);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return false;
  return (
    found.isSymbolicLink() ||
    found.dev !== lstatSync(root).dev ||
    mountsBelow(root).some((mount) => mount.path === path)
  );
}

/** What a migration does not take along, one line each. */
export function leftBehind({ name, root, layers, images, containers }: Source, to: string): string[] {
  const damaged = [...layers.damaged, ...images.damaged];
  const known = new Set(layers.list().map(({ cacheID }) => cacheID));
  for (const { mountID, initID } of layers.rw.list()) for (const id of [mountID, initID]) if (id) known.add(id);
  const home = join(root, name === "vfs" ? "vfs/dir" : name);
  const unknown = names(home).filter((id) => isCacheID(id) && !known.has(id));
  const limited = to === "overlay2" ? [] : containers.filter(({ file }) => hasLimit(dirname(file)));
  return [
    ...damaged.map(({ path, why }) => `${path} stays behind: ${why}`),
    ...limited.map(({ id, name }) => `the size limit of container ${name || shortID(id)} ends: ${to} has none`),
    ...(unknown.length > 0
      ? [`${unknown.length} directories in ${home} belong to no layer (build cache, leftovers) and stay behind`]
      : []),
  ];
}

function hasLimit(container: string): boolean {
  try {
    const { StorageOpt } = JSON.parse(readFileSync(join(container, "hostconfig.json"), "utf8"));
    return StorageOpt?.size !== undefined;
  } catch {
    return false;
  }
}
