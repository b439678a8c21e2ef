import { S, type Stat } from "../../sys/index.js";
import { ifThere } from "./directory.js";
import { capabilityIn } from "./xattrs.js";

/** A node and where it is. */
export interface Found {
  readonly dir: number;
  readonly name: string;
  readonly stat: Stat;
}

/**
 * Whether two nodes count as the same, as Docker counts it (docker-data-root 9.3): by type, mode, owner, device
 * numbers and capability; what is no directory also by size and time.
 */
export function sameNode(a: Found, b: Found): boolean {
  const [x, y] = [a.stat, b.stat];
  if (x.ino === y.ino && x.dev === y.dev) return true;
  if (x.mode !== y.mode || x.uid !== y.uid || x.gid !== y.gid) return false;
  if (x.rdevMajor !== y.rdevMajor || x.rdevMinor !== y.rdevMinor) return false;
  // Docker tests one bit for "directory", which block devices and sockets have too.
  if ((x.mode & S.IFDIR) === 0 && (x.size !== y.size || !sameTime(x.mtimeNs, y.mtimeNs))) return false;
  return (x.mode & S.IFMT) !== S.IFREG || sameCapability(a, b);
}

const second = 1_000_000_000n;

/** An archive may have cut a time to whole seconds. */
function sameTime(a: bigint, b: bigint): boolean {
  if (a === b) return true;
  const floor = (ns: bigint) => ns - (((ns % second) + second) % second);
  return floor(a) === floor(b) && (floor(a) === a || floor(b) === b);
}

function sameCapability(a: Found, b: Found): boolean {
  const [x, y] = [a, b].map(({ dir, name }) => ifThere(() => capabilityIn(dir, name)));
  return x === undefined || y === undefined ? x === y : Buffer.compare(x, y) === 0;
}
