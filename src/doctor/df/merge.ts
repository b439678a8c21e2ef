import type { Room } from "./room.js";
import type { Walked } from "./walk.js";

/** What walks came to, each file once, in whichever it was met first. */
export interface Merged {
  readonly rooms: Room[];
  /** By walk: whether all names of the files that it met are among its own. */
  readonly alone: boolean[];
  /** Files have names that no walk met. */
  readonly hasOthers: boolean;
}

interface Linked {
  readonly names: number;
  seen: number;
  readonly walks: Set<number>;
}

export function merge(walks: readonly Walked[]): Merged {
  const byDevice = new Map<number, Map<bigint, Linked>>();
  const rooms = walks.map(({ bytes, inodes, links }, at) => {
    let [Bytes, Inodes] = [bytes, inodes];
    const known = byDevice.get(links.device) ?? new Map<bigint, Linked>();
    byDevice.set(links.device, known);
    for (let row = 0; row < links.inodes.length; row++) {
      const inode = links.inodes[row]!;
      const linked = known.get(inode);
      if (linked) {
        linked.seen++;
        linked.walks.add(at);
        continue;
      }
      known.set(inode, { names: links.names[row]!, seen: 1, walks: new Set([at]) });
      Bytes += links.bytes[row]!;
      Inodes++;
    }
    return { Bytes, Inodes };
  });
  const alone = walks.map(() => true);
  let hasOthers = false;
  for (const known of byDevice.values()) {
    for (const { names, seen, walks } of known.values()) {
      if (seen < names) hasOthers = true;
      if (seen < names || walks.size > 1) for (const at of walks) alone[at] = false;
    }
  }
  return { rooms, alone, hasOthers };
}

/** By walk, what is freed when all of them are removed in turn: a file goes with the last of its names. */
export function freedBy(walks: readonly Walked[]): Room[] {
  const left = new Map<string, number>();
  return walks.map(({ bytes, inodes, links }) => {
    let [Bytes, Inodes] = [bytes, inodes];
    for (let row = 0; row < links.inodes.length; row++) {
      const file = `${links.device}:${links.inodes[row]}`;
      const names = (left.get(file) ?? links.names[row]!) - 1;
      left.set(file, names);
      if (names > 0) continue;
      Bytes += links.bytes[row]!;
      Inodes++;
    }
    return { Bytes, Inodes };
  });
}

/** By walk, the bytes of blocks that are counted already: in a walk before it, or twice in its own. */
export function repeatedBlocks(walks: readonly Walked[]): number[] {
  const repeated = walks.map(() => 0);
  const edges: { readonly at: number; readonly walk: number; readonly opens: boolean }[] = [];
  walks.forEach(({ shared }, walk) => {
    for (let row = 0; row < shared.length; row += 2) {
      const start = Number(shared[row]);
      edges.push({ at: start, walk, opens: true }, { at: start + Number(shared[row + 1]), walk, opens: false });
    }
  });
  edges.sort((a, b) => a.at - b.at);
  const open: number[] = [];
  let last = 0;
  for (const { at, walk, opens } of edges) {
    const first = open.indexOf(Math.min(...open));
    open.forEach((each, index) => {
      if (index !== first) repeated[each] = (repeated[each] ?? 0) + at - last;
    });
    if (opens) open.push(walk);
    else open.splice(open.indexOf(walk), 1);
    last = at;
  }
  return repeated;
}
