import { InvalidParameter, isErrno } from "../spec/index.js";
import * as sys from "../sys/index.js";
import { mountsBelowReal } from "./mounts.js";

/** After a step: `done`, go on; `slow`, the next step may take long; `busy`, wait a little before the next. */
export type Step = "done" | "slow" | "busy";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_PATH } = sys.O;
/** Directories deeper than this are first moved up, so that no depth uses up the file descriptors. */
const deepest = 64;
/** Freeing the blocks of larger files takes milliseconds. */
const largeBlocks = (16 << 20) / 512;
const patience = 50;

/**
 * Removes what is at `path`, one system call a step. Whatever is mounted in it is unmounted first, never emptied;
 * symlinks are removed, never followed; what is gone already is fine.
 */
export class Removal {
  #top = -1;
  #moved = 0;
  #failure: unknown;
  #careful: boolean;
  #stat = new sys.Stat();

  /** @param careful announce what may take long as `slow` */
  constructor(careful: boolean) {
    this.#careful = careful;
  }

  /** @param path absolute @throws SyscallError, with the whole path of what cannot be removed */
  *run(path: string): Generator<Step, void> {
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    if (name === "") throw new InvalidParameter(`${path} is not to be removed`);
    const parent = openPlace(path.slice(0, slash) || "/");
    if (parent === undefined) return;
    try {
      unmountBelow(pathOf(parent, name));
      yield* this.#remove(parent, name, sys.DT.UNKNOWN, 0);
    } finally {
      sys.close(parent);
    }
  }

  *#remove(dir: number, name: string, type: number, depth: number): Generator<Step, void> {
    for (let tries = 0; ; tries++) {
      try {
        if (type !== sys.DT.DIR && (yield* this.#unlink(dir, name))) return;
        return yield* this.#removeDirectory(dir, name, depth);
      } catch (error) {
        if (error === this.#failure) throw error;
        if (isErrno(error, "ENOENT")) return;
        // Something is mounted there (EXDEV: found on the way in), or was put into it meanwhile.
        const passing = isErrno(error, "EBUSY", "EXDEV", "ENOTEMPTY") && tries < patience;
        if (!passing) throw this.#final(error, dir, name);
        unmountBelow(pathOf(dir, name));
        yield "busy";
      }
    }
  }

  /** @returns false: it is a directory */
  *#unlink(dir: number, name: string): Generator<Step, boolean> {
    if (this.#careful && sys.lstatat(dir, name, this.#stat).blocks > largeBlocks) yield "slow";
    try {
      sys.unlinkat(dir, name);
    } catch (error) {
      if (isErrno(error, "EISDIR")) return false;
      throw error;
    }
    yield "done";
    return true;
  }

  *#removeDirectory(dir: number, name: string, depth: number): Generator<Step, void> {
    if (depth > deepest) return this.#moveUp(dir, name);
    const fd = openDirectory(dir, name);
    const top = depth === 0;
    try {
      if (top) this.#top = fd;
      yield* this.#empty(fd, depth);
    } finally {
      sys.close(fd);
    }
    sys.unlinkat(dir, name, sys.AT_REMOVEDIR);
    yield "done";
  }

  /** Reads again from the start until nothing is left: directories moved up come to light so. */
  *#empty(fd: number, depth: number): Generator<Step, void> {
    for (;;) {
      const moved = this.#moved;
      for (let entries = sys.getdents64(fd); entries.length > 0; entries = sys.getdents64(fd)) {
        for (const { name, type } of entries) yield* this.#remove(fd, name, type, depth + 1);
      }
      if (depth > 0 || moved === this.#moved) return;
      sys.rewind(fd);
    }
  }

  /** A failure that directories further up only pass on. */
  #final(error: unknown, dir: number, name: string): unknown {
    if (!(error instanceof sys.SyscallError)) return error;
    this.#failure = new sys.SyscallError(-error.errno, error.syscall, pathOf(dir, name));
    return this.#failure;
  }

  #moveUp(dir: number, name: string): void {
    for (;;) {
      try {
        sys.renameat2(dir, name, this.#top, `.removing-${process.pid}-${this.#moved++}`, sys.rename.noReplace);
        return;
      } catch (error) {
        // One of this process has begun, and left the rest to a thread.
        if (!isErrno(error, "EEXIST")) throw error;
      }
    }
  }
}

function openPlace(path: string): number | undefined {
  try {
    return sys.openat(sys.AT_FDCWD, path, O_PATH | O_DIRECTORY);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** @throws SyscallError: EXDEV, something is mounted there */
function openDirectory(dir: number, name: string): number {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  try {
    return sys.openat2(dir, name, { flags, resolve: sys.resolve.noXdev | sys.resolve.noSymlinks });
  } catch (error) {
    // Linux before 5.6 has no openat2; some sandboxes forbid it. What was mounted has been unmounted before.
    if (!isErrno(error, "ENOSYS", "EPERM")) throw error;
    return sys.openat(dir, name, flags);
  }
}

/** What cannot be unmounted shows as EBUSY when it is to be removed. */
function unmountBelow(path: string): void {
  for (const mount of mountsBelowReal(path)) {
    try {
      sys.umount(mount.path, sys.MNT.DETACH);
    } catch (error) {
      if (!isErrno(error, "EINVAL", "ENOENT", "EPERM")) throw error;
    }
  }
}

function pathOf(dir: number, name: string): string {
  const place = sys.readlinkat(sys.AT_FDCWD, `/proc/self/fd/${dir}`);
  return place === "/" ? `/${name}` : `${place}/${name}`;
}
