import { statfs } from "../../sys/index.js";
import { stampAt } from "../root/fact.js";
import type { Area, Lasting } from "./areas.js";
import type { Place } from "./jobs.js";
import { merge, repeatedBlocks } from "./merge.js";
import { Memory } from "./remembered.js";
import { nothing, type Room } from "./room.js";
import type { Walked } from "./walk.js";
import { type WalkAllOptions, walkAll } from "./walk-all.js";
import { writersOn } from "./writers.js";

export interface MeasureOptions extends Omit<WalkAllOptions, "reflinks"> {
  /** Of earlier times; what it knows is taken from it, unless `exact`. */
  readonly memory?: Memory | undefined;
  /** Everything is counted anew, and blocks that files share by reflinks are told. */
  readonly exact?: boolean | undefined;
  /** Milliseconds since 1970. */
  readonly now?: number | undefined;
}

export interface Measured {
  /** By area. */
  readonly rooms: readonly Room[];
  /** By area, bytes of blocks that are counted more than once; only when `exact`. */
  readonly repeated: readonly number[] | undefined;
  /** By area, whether its size is remembered. */
  readonly remembered: readonly boolean[];
}

/** Counts what areas take, each file once. @param areas all of a root; the last is the root, and has the others in it */
export async function measure(areas: readonly Area[], options: MeasureOptions = {}): Promise<Measured> {
  const { memory = new Memory(), exact = false, now = Date.now(), ...how } = options;
  const root = areas.at(-1)?.path ?? "/";
  const reflinks = exact && hasReflinks(root);
  // Before anything is walked: what changes meanwhile has another the next time.
  const stamps = areas.map(({ lasting }) => lasting && stampOf(lasting));
  const known = areas.map(({ path }, at) => (exact ? undefined : memory.get(path, stamps[at])));
  const all = [...areas.keys()];
  const left = all.filter((at) => !known[at]);
  const isWritten = await writersOn(
    root,
    left.flatMap((at) => areas[at]!.lasting?.writable ?? []),
  );
  const walks = new Map<number, Walked>();
  const walk = async (indices: readonly number[]) => {
    const places = indices.map((at) => placeOf(areas, at));
    const found = await walkAll(places, { ...how, reflinks });
    for (const [index, at] of indices.entries()) walks.set(at, found[index]!);
  };
  await walk(left);
  // A file of several names may be one that was counted in what is remembered.
  const isEntangled = left.length < all.length && merge([...walks.values()]).hasOthers;
  if (isEntangled) await walk(all.filter((at) => known[at]));
  const counted = isEntangled ? all : left;
  const walked = counted.map((at) => walks.get(at)!);
  const { rooms, alone } = merge(walked);
  const byArea: Room[] = known.map((room) => room ?? nothing);
  for (const [index, at] of counted.entries()) {
    const [{ path, lasting }, room, stamp] = [areas[at]!, rooms[index]!, stamps[at]];
    byArea[at] = room;
    if (!lasting || stamp === undefined) continue;
    if (lasting.rests && walked[index]!.restsAt * 1000 > now) continue;
    if (lasting.writable !== undefined && isWritten(lasting.writable)) continue;
    memory.set(path, { ...room, stamp, alone: alone[index]! });
  }
  memory.keepOnly(new Set(areas.flatMap(({ path, lasting }) => (lasting ? path : []))));
  return {
    rooms: byArea,
    repeated: reflinks ? repeatedBlocks(walked) : exact ? all.map(() => 0) : undefined,
    remembered: known.map((room) => room !== undefined && !isEntangled),
  };
}

function stampOf({ stamp, marks = [] }: Lasting): string {
  return [stamp, ...marks.map(stampAt)].join(" ");
}

/** An area without the others that are in it. */
function placeOf(areas: readonly Area[], at: number): Place {
  const isRoot = at === areas.length - 1;
  return { path: areas[at]!.path, stops: isRoot ? areas.slice(0, -1).map(({ path }) => path) : [] };
}

/** Magic numbers of XFS, btrfs, bcachefs and OCFS2. @see statfs(2) */
const sharing = [0x58465342, 0x9123683e, 0xca451a4e, 0x7461636f];

/** Whether files can share blocks where a directory is: elsewhere none is opened to be asked. */
function hasReflinks(path: string): boolean {
  return sharing.includes(statfs(path).type);
}
