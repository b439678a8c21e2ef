import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { encodeName } from "../../spec/index.js";
import { statfs } from "../../sys/index.js";
import type { Area } from "./areas.js";
import type { Place } from "./jobs.js";
import { merge, repeatedBlocks } from "./merge.js";
import { Memory } from "./remembered.js";
import type { Room } from "./room.js";
import type { Walked } from "./walk.js";
import { type WalkAllOptions, walkAll } from "./walk-all.js";

export interface MeasureOptions extends Omit<WalkAllOptions, "reflinks"> {
  /** Of earlier times; what it knows of layers is taken from it, unless `exact`. */
  readonly memory?: Memory | undefined;
  /** Everything is counted anew, and blocks that files share by reflinks are told. */
  readonly exact?: boolean | undefined;
}

export interface Measured {
  /** By area. */
  readonly rooms: readonly Room[];
  /** By area, bytes of blocks that are counted more than once; only when `exact`. */
  readonly repeated: readonly number[] | undefined;
  /** Areas whose size is remembered. */
  readonly remembered: number;
}

/** Counts what areas take, each file once. @param areas all of a root, what is in another before it */
export async function measure(areas: readonly Area[], options: MeasureOptions = {}): Promise<Measured> {
  const { memory = new Memory(), exact = false, ...how } = options;
  const reflinks = exact && hasReflinks(areas.at(-1)?.path ?? "/");
  const places = placesOf(areas);
  const stamps = areas.map(({ fixed, path }) => (fixed === undefined ? undefined : stampOf(path)));
  const walks = areas.map(({ fixed }, at): Walked | undefined => {
    const known = fixed !== undefined && !exact && memory.get(fixed, stamps[at] ?? "");
    return known ? { ...empty, bytes: known.bytes, inodes: known.inodes } : undefined;
  });
  const walk = async (at: readonly number[]) => {
    const found = await walkAll(
      at.map((each) => places[each]!),
      { ...how, reflinks },
    );
    for (const [index, each] of at.entries()) walks[each] = found[index];
  };
  const isLeft = (at: number) => walks[at] === undefined;
  const left = [...areas.keys()].filter(isLeft);
  await walk(left);
  const known = [...areas.keys()].filter((at) => !left.includes(at));
  // A file of several names may be one that was counted in what is remembered.
  const isEntangled = known.length > 0 && merge(left.map((at) => walks[at]!)).hasOthers;
  if (isEntangled) await walk(known);
  const all = walks.map((each) => each ?? empty);
  const { rooms, alone } = merge(all);
  for (const at of isEntangled ? areas.keys() : left) {
    const [fixed, stamp, room] = [areas[at]!.fixed, stamps[at], rooms[at]!];
    if (fixed === undefined || stamp === undefined) continue;
    memory.set(fixed, { stamp, bytes: room.Bytes, inodes: room.Inodes, alone: alone[at]! });
  }
  memory.keepOnly(new Set(areas.flatMap(({ fixed }) => fixed ?? [])));
  return {
    rooms,
    repeated: reflinks ? repeatedBlocks(all) : exact ? all.map(() => 0) : undefined,
    remembered: isEntangled ? 0 : known.length,
  };
}

const empty: Walked = {
  ...{ bytes: 0, inodes: 0, shared: new BigUint64Array() },
  links: {
    device: 0,
    inodes: new BigUint64Array(),
    names: new Uint32Array(),
    bytes: new Float64Array(),
  },
};

/** Each area with those that lie in it. */
function placesOf(areas: readonly Area[]): Place[] {
  const inside = new Map<string, string[]>(areas.map(({ path }) => [path, []]));
  for (const { path } of areas) {
    for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
      const stops = inside.get(above);
      stops?.push(path);
      if (stops) break;
    }
  }
  return areas.map(({ path }) => ({ path, stops: inside.get(path) ?? [] }));
}

/** Magic numbers of XFS, btrfs, bcachefs and OCFS2. @see statfs(2) */
const sharing = [0x58465342, 0x9123683e, 0xca451a4e, 0x7461636f];

/** Whether files can share blocks where a directory is: elsewhere none is opened to be asked. */
function hasReflinks(path: string): boolean {
  return sharing.includes(statfs(path).type);
}

/** A directory that was made anew, or of which an entry was added or removed by hand, has another. */
function stampOf(path: string): string | undefined {
  const found = lstatSync(encodeName(path), { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}:${found.ctimeNs}`;
}
