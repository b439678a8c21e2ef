import type { Room } from "../df/room.js";
import type { Walked } from "../df/walk.js";
import { walkAll } from "../df/walk-all.js";
import { listKept } from "./quarantine.js";

/** Something that a repair has removed or replaced, and what it takes of the disk. */
export type KeptThing = ReturnType<typeof listKept>[number] & Room;

/** What is in the quarantine, in the order in which it was removed; what is left of an interrupted repair, too. */
export async function keptThings(root: string, signal?: AbortSignal): Promise<KeptThing[]> {
  const kept = listKept(root);
  const places = kept.map(({ at }) => ({ path: at, stops: [] }));
  const walked = await walkAll(places, { signal });
  return kept.map((thing, at) => ({ ...thing, ...roomOf(walked[at]!) }));
}

/** A file of several names once, wherever the others are. */
function roomOf({ bytes, inodes, links }: Walked): Room {
  const others = new Map([...links.inodes].map((inode, at) => [inode, links.bytes[at]!]));
  return { Bytes: [...others.values()].reduce((sum, each) => sum + each, bytes), Inodes: inodes + others.size };
}
