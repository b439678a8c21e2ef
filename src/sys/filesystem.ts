import { check, inBackground, libc } from "./libc.js";
import { cString, type Name } from "./name.js";

/** What a mounted file system says of itself. @see statfs(2) */
export interface FileSystem {
  /** Its magic number: 0xEF53 for ext2 to ext4, 0x794C7630 for overlayfs. */
  readonly type: number;
  /** Bytes a block; the counts below are of blocks. */
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  /** Free to users other than root. */
  readonly available: number;
  /** Inodes. */
  readonly files: number;
  readonly filesFree: number;
  /** Longest file name in bytes. */
  readonly nameLength: number;
  /** As mounted. */
  readonly readOnly: boolean;
}

const ST_RDONLY = 1;

const room = new BigUint64Array(32);
const roomBytes = new Uint8Array(room.buffer);

/** The file system that `path`, links followed, is on. */
export function statfs(path: Name): FileSystem {
  check(libc.statfs(cString(path), roomBytes), "statfs", path);
  return read();
}

/** The file system that `fd` is open on. */
export function fstatfs(fd: number): FileSystem {
  check(libc.fstatfs(fd, roomBytes), "fstatfs");
  return read();
}

/**
 * Writes all that waits for the file system of `fd` to its disk, without keeping this thread. Keep `fd` open until
 * it resolves. @throws SyscallError: EIO, ENOSPC: something written since `fd` was opened is lost
 */
export async function syncfs(fd: number): Promise<void> {
  await inBackground("syncfs", "syncfs", fd);
}

function read(): FileSystem {
  const at = (index: number) => Number(room[index]);
  return {
    type: at(0),
    blockSize: at(1),
    blocks: at(2),
    free: at(3),
    available: at(4),
    files: at(5),
    filesFree: at(6),
    nameLength: at(8),
    readOnly: (at(10) & ST_RDONLY) !== 0,
  };
}
