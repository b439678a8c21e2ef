import { dirname } from "node:path";
import { statfs } from "../../sys/index.js";
import type { Area } from "./areas.js";
import type { Place } from "./jobs.js";
import { merge, repeatedBlocks } from "./merge.js";
import { Memory } from "./remembered.js";
import type { Room } from "./room.js";
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

/** Counts what areas take, each file once. @param areas all of a root, what is in another before it */
export async function measure(areas: readonly Area[], options: MeasureOptions = {}): Promise<Measured> {
  const { memory = new Memory(), exact = false, now = Date.now(), ...how } = options;
  const root = areas.at(-1)?.path ?? "/";
  const reflinks = exact && hasReflinks(root);
  const places = placesOf(areas);
  const walks = areas.map(({ path, lasting }): Walked | undefined => {
    const known = lasting && !exact ? memory.get(path, lasting.stamp) : undefined;
    return known && { ...empty, bytes: known.bytes, inodes: known.inodes };
  });
  const walk = async (at: readonly number[]) => {
    const found = await walkAll(
      at.map((each) => places[each]!),
      { ...how, reflinks },
    );
    for (const [index, each] of at.entries()) walks[each] = found[index];
  };
  const left = [...areas.keys()].filter((at) => walks[at] === undefined);
  const known = [...areas.keys()].filter((at) => walks[at] !== undefined);
  const isWritten = await writersOn(
    root,
    left.flatMap((at) => areas[at]!.lasting?.writable ?? []),
  );
  await walk(left);
  // A file of several names may be one that was counted in what is remembered.
  const isEntangled = known.length > 0 && merge(left.map((at) => walks[at]!)).hasOthers;
  if (isEntangled) await walk(known);
  const all = walks.map((each) => each ?? empty);
  const { rooms, alone } = merge(all);
  for (const at of isEntangled ? areas.keys() : left) {
    const [{ path, lasting }, room] = [areas[at]!, rooms[at]!];
    if (!lasting) continue;
    if (lasting.writable !== undefined && (isWritten(lasting.writable) || all[at]!.restsAt * 1000 > now)) continue;
    memory.set(path, { stamp: lasting.stamp, bytes: room.Bytes, inodes: room.Inodes, alone: alone[at]! });
  }
  memory.keepOnly(new Set(areas.flatMap(({ path, lasting }) => (lasting ? path : []))));
  const isRemembered = new Set(isEntangled ? [] : known);
  return {
    rooms,
    repeated: reflinks ? repeatedBlocks(all) : exact ? all.map(() => 0) : undefined,
    remembered: areas.map((_, at) => isRemembered.has(at)),
  };
}

const empty: Walked = {
  ...{ bytes: 0, inodes: 0, restsAt: 0, shared: new BigUint64Array() },
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
  const around = new Map<string, string[] | undefined>();
  const aroundOf = (path: string): string[] | undefined => {
    const dir = dirname(path);
    if (!around.has(dir)) around.set(dir, inside.get(dir) ?? (dir === path ? undefined : aroundOf(dir)));
    return around.get(dir);
  };
  for (const { path } of areas) aroundOf(path)?.push(path);
  return areas.map(({ path }) => ({ path, stops: inside.get(path) ?? [] }));
}

/** Magic numbers of XFS, btrfs, bcachefs and OCFS2. @see statfs(2) */
const sharing = [0x58465342, 0x9123683e, 0xca451a4e, 0x7461636f];

/** Whether files can share blocks where a directory is: elsewhere none is opened to be asked. */
function hasReflinks(path: string): boolean {
  return sharing.includes(statfs(path).type);
}
