import { check, libc } from "./libc.js";
import { cString, type Name } from "./name.js";

const AT_SYMLINK_NOFOLLOW = 0x100;
const second = 1_000_000_000n;
const times = new BigInt64Array(4);
const timesBytes = new Uint8Array(times.buffer);

/** Sets both times in nanoseconds since 1970, exactly; of a symlink itself. */
export function lutimesat(dir: number, path: Name, atimeNs: bigint, mtimeNs: bigint): void {
  fill(atimeNs, mtimeNs);
  check(libc.utimensat(dir, cString(path), timesBytes, AT_SYMLINK_NOFOLLOW), "utimensat", path);
}

/** Sets both times of an open file in nanoseconds since 1970, exactly. */
export function futimens(fd: number, atimeNs: bigint, mtimeNs: bigint): void {
  fill(atimeNs, mtimeNs);
  check(libc.futimens(fd, timesBytes), "futimens");
}

function fill(atimeNs: bigint, mtimeNs: bigint): void {
  put(0, atimeNs);
  if (mtimeNs === atimeNs) times.copyWithin(2, 0, 2);
  else put(2, mtimeNs);
}

/** Nanoseconds count upwards from the second also before 1970. */
function put(at: number, ns: bigint): void {
  let rest = ns % second;
  if (rest < 0n) rest += second;
  times[at] = (ns - rest) / second;
  times[at + 1] = rest;
}
