import { decodeName } from "../spec/index.js";
import { check, libc, numbers } from "./libc.js";

/** Types of directory entries, as the file system keeps them beside the name. */
export const DT = { UNKNOWN: 0, FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12 } as const;

export interface DirectoryEntry {
  /** Decoded: `encodeName` gives its bytes. */
  readonly name: string;
  /** Of `DT`; `UNKNOWN` on file systems made without d_type. */
  readonly type: number;
}

const room = Buffer.alloc(65536);

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
  for (let at = 0; at < length; at += room.readUInt16LE(at + 16)) {
    const name = nameAt(at + 19);
    if (name !== "." && name !== "..") entries.push({ name, type: room[at + 18]! });
  }
  return entries;
}

/** Most names are short and ASCII, for which this is several times faster than decoding them as UTF-8. */
function nameAt(start: number): string {
  let seen = 0;
  let end = start;
  for (let byte = room[end]!; byte !== 0; byte = room[++end]!) seen |= byte;
  return seen < 0x80 ? room.toString("latin1", start, end) : decodeName(room.subarray(start, end));
}
