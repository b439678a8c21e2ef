import { decodeName } from "../spec/index.js";
import { check, libc, numbers } from "./libc.js";

/** Types of directory entries, as the file system keeps them beside the name. */
export const DT = { UNKNOWN: 0, FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12 } as const;

export interface DirectoryEntry {
  /** Decoded: `encodeName` gives its bytes. */
  readonly name: string;
  /** Of `DT`; `UNKNOWN` on file systems made without d_type. */
  readonly type: number;
  readonly ino: bigint;
}

const room = Buffer.alloc(65536);
const view = new DataView(room.buffer, room.byteOffset, room.length);

/**
 * The next entries of an open directory, in the file system's order, `.` and `..` left out; some hundreds to some
 * thousands at once. @returns an empty list at the end, and only there
 */
export function getdents64(fd: number): DirectoryEntry[] {
  for (;;) {
    const length = check(libc.syscallData(numbers.getdents64, fd, room, room.length), "getdents64");
    const entries = parse(length);
    if (length === 0 || entries.length > 0) return entries;
  }
}

/** All entries of an open directory that are left to read. */
export function readDirectory(fd: number): DirectoryEntry[] {
  const all = getdents64(fd);
  for (let more = all; more.length > 0; ) {
    more = getdents64(fd);
    for (const entry of more) all.push(entry);
  }
  return all;
}

/** Lets the next `getdents64` begin anew. */
export function rewind(fd: number): void {
  check(libc.lseek(fd, 0, 0), "lseek");
}

/** @see getdents(2): inode 8, offset 8, record length 2, type 1, name with NUL */
function parse(length: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at < length; ) {
    const next = at + view.getUint16(at + 16, true);
    const name = decodeName(room.subarray(at + 19, room.indexOf(0, at + 19)));
    if (name !== "." && name !== "..") {
      entries.push({ name, type: room[at + 18]!, ino: view.getBigUint64(at, true) });
    }
    at = next;
  }
  return entries;
}
