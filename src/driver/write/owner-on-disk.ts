import { InvalidParameter, type Path } from "../../spec/index.js";
import type { IdRange, WriteTarget } from "../driver.js";

import { quoted } from "../quoted.js";

/** How owners are set. */
export type Owners = Pick<WriteTarget, "lenient" | "owner" | "ids">;

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whom a node is to belong to; an id is undefined where the map has none for it. */
export function ownerOnDisk(
  meta: Owner,
  { owner, ids }: Pick<Owners, "owner" | "ids">,
): { uid: number | undefined; gid: number | undefined } {
  const inside = owner ?? meta;
  return ids ? { uid: onDisk(inside.uid, ids.uids), gid: onDisk(inside.gid, ids.gids) } : inside;
}

/** @throws InvalidParameter: the map has no ids for it */
export function ownerOfEntry(path: Path, meta: Owner, owners: Owners): Owner {
  const { uid, gid } = ownerOnDisk(meta, owners);
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  throw new InvalidParameter(`${quoted(path)}: owner ${meta.uid}:${meta.gid} has no ids on disk`);
}

/** dockerd keeps an id that is already what 0 is on disk. @see docker-data-root 1.3 */
function onDisk(id: number, ranges: readonly IdRange[]): number | undefined {
  if (id === ranges[0]?.onDisk) return id;
  const range = ranges.find(({ first, size }) => id >= first && id < first + size);
  return range && range.onDisk + id - range.first;
}
