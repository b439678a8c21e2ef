import { readFileSync } from "node:fs";
import type { IdMap, IdRange } from "../../driver/index.js";
import { isErrno, NotImplemented } from "../../spec/index.js";

/** What 0:0 in containers is on disk. */
export interface RemappedRoot {
  readonly uid: number;
  readonly gid: number;
}

/** The data root of `dockerd --userns-remap` is called by it: `UID.GID`. @param root absolute */
export function remappedRoot(root: string): RemappedRoot | undefined {
  const [, uid, gid] = /\/(\d+)\.(\d+)$/.exec(root) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** The owner of a layer's files and work directory, for steps that make them; nothing where users are not remapped. */
export function ownerOfFiles(root: string): { readonly owner?: RemappedRoot } {
  const owner = remappedRoot(root);
  return owner ? { owner } : {};
}

/** The same of its directory in the home. */
export function ownerOfLayer(root: string): { readonly owner?: RemappedRoot } {
  const remapped = remappedRoot(root);
  return remapped ? { owner: { uid: 0, gid: remapped.gid } } : {};
}

/**
 * Which ids on disk stand for those in containers, as dockerd takes them from the files of subordinate ids: of the name
 * whose ranges begin with the root's, all, laid end to end.
 *
 * @throws NotImplemented: no name's do, or those of several that differ
 */
export function idMapOf({ uid, gid }: RemappedRoot): IdMap {
  return { uids: rangesFrom("/etc/subuid", uid), gids: rangesFrom("/etc/subgid", gid) };
}

function rangesFrom(path: string, start: number): IdRange[] {
  const byName = new Map<string, IdRange[]>();
  for (const line of linesOf(path)) {
    const [, name = "", from, count] = /^([^:#]+):(\d+):(\d+)$/.exec(line.trim()) ?? [];
    if (from === undefined || count === undefined) continue;
    const before = byName.get(name) ?? [];
    const first = before.reduce((sum, { size }) => sum + size, 0);
    byName.set(name, [...before, { first, onDisk: Number(from), size: Number(count) }]);
  }
  const found = [...byName.values()].filter(([range]) => range?.onDisk === start);
  const [map] = found;
  const one = new Set(found.map((ranges) => JSON.stringify(ranges)));
  if (map && one.size === 1) return map;
  const why = map ? "the ranges of several names begin" : "no range begins";
  const what = `put in the line of the user that dockerd had for --userns-remap, as dockremap:${start}:65536`;
  throw new NotImplemented(`owners in layers are not known: ${why} with ${start} in ${path}: ${what}`);
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}
