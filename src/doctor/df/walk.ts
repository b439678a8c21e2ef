import { isErrno } from "../../spec/index.js";
import * as sys from "../../sys/index.js";

/** What was found at a path and below it; plain data, for it comes from threads. */
export interface Walked {
  /** Of all that has one name. */
  readonly bytes: number;
  readonly inodes: number;
  /** From when on it can be taken to stay as it is, if nobody writes to it; in seconds since 1970. */
  readonly restsAt: number;
  /** Files of several names, a row for each that was found: they may be met elsewhere again. */
  readonly links: Links;
  /** Blocks that files share by reflinks, where that was asked for: physical place and length in bytes, in turn. */
  readonly shared: BigUint64Array;
}

export interface Links {
  /** Number of the file system, the same in all rows of one walk. */
  readonly device: number;
  readonly inodes: BigUint64Array;
  readonly names: Uint32Array;
  readonly bytes: Float64Array;
}

export interface WalkOptions {
  /** Absolute paths that are left out, with all below them. */
  readonly stops?: ReadonlySet<string>;
  /** Also ask which blocks files share; it takes opening each. */
  readonly reflinks?: boolean;
}

/** What has changed may take other blocks when it has been written back: in half a minute, as a rule. */
const writtenAfter = 60;
/** XFS takes back what it has given to a file beyond its end every five minutes. */
const trimmedAfter = 600;
/** More than the last block of a file has, and what a long list of blocks takes. */
const beyondEnd = 8192;

/** Directories deeper than this are closed while the walk is below them, and opened again by `..`. */
const mostOpen = 64;
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME } = sys.O;

/**
 * Counts what is at an absolute path and below it, as `du -x` does, in one file system; symlinks are not followed,
 * what vanishes meanwhile is left out, and nothing there is nothing. Synchronous; a step is at most one directory.
 *
 * @throws SyscallError: what cannot be read
 */
export class Walk {
  readonly #stops: ReadonlySet<string>;
  readonly #reflinks: boolean;
  readonly #stat = new sys.Stat();
  readonly #inodes: bigint[] = [];
  readonly #names: number[] = [];
  readonly #sizes: number[] = [];
  readonly #shared: bigint[] = [];
  #device = 0;
  #bytes = 0;
  #count = 0;
  #restsAt = 0;

  constructor({ stops = new Set(), reflinks = false }: WalkOptions = {}) {
    this.#stops = stops;
    this.#reflinks = reflinks;
  }

  /** @returns how many entries a step has looked at */
  *run(path: string): Generator<number, void> {
    if (this.#stops.has(path) || !sys.tryLstatat(sys.AT_FDCWD, path, this.#stat)) return;
    this.#device = this.#stat.dev;
    const isDirectory = (this.#stat.mode & sys.S.IFMT) === sys.S.IFDIR;
    this.#add(sys.AT_FDCWD, path);
    const fd = isDirectory ? open(sys.AT_FDCWD, path) : undefined;
    if (fd === undefined) return;
    using top = new Opened(fd);
    yield* this.#below(top, path, 0);
  }

  get found(): Walked {
    return {
      bytes: this.#bytes,
      inodes: this.#count,
      restsAt: this.#restsAt,
      links: {
        device: this.#device,
        inodes: BigUint64Array.from(this.#inodes),
        names: Uint32Array.from(this.#names),
        bytes: Float64Array.from(this.#sizes),
      },
      shared: BigUint64Array.from(this.#shared),
    };
  }

  *#below(at: Opened, path: string, depth: number): Generator<number, void> {
    const [directories, seen] = this.#entries(at.fd, path);
    yield seen;
    for (const name of directories) {
      const fd = open(at.fd, name);
      if (fd === undefined) continue;
      using child = new Opened(fd);
      if (depth >= mostOpen) at.close();
      yield* this.#below(child, `${path}/${name}`, depth + 1);
      if (depth >= mostOpen) at.fd = sys.openat(child.fd, "..", O_RDONLY | O_DIRECTORY);
    }
  }

  /** Counts what is in a directory. @returns names of the directories in it */
  #entries(fd: number, path: string): [directories: string[], seen: number] {
    const directories: string[] = [];
    let seen = 0;
    for (let some = sys.getdents64(fd); some.length > 0; some = sys.getdents64(fd)) {
      for (const { name } of some) {
        seen++;
        if (this.#stops.size > 0 && this.#stops.has(`${path}/${name}`)) continue;
        if (!sys.tryLstatat(fd, name, this.#stat) || this.#stat.dev !== this.#device) continue;
        if ((this.#stat.mode & sys.S.IFMT) === sys.S.IFDIR) directories.push(name);
        this.#add(fd, name);
      }
    }
    return [directories, seen];
  }

  #add(dir: number, name: string): void {
    const { nlink, blocks, size } = this.#stat;
    const type = this.#stat.mode & sys.S.IFMT;
    const bytes = blocks * 512;
    const isLoose = type === sys.S.IFREG && bytes > size + beyondEnd;
    this.#restsAt = Math.max(this.#restsAt, this.#stat.ctime + (isLoose ? trimmedAfter : writtenAfter));
    if (nlink > 1 && type !== sys.S.IFDIR) {
      this.#inodes.push(this.#stat.ino);
      this.#names.push(nlink);
      this.#sizes.push(bytes);
    } else {
      this.#bytes += bytes;
      this.#count++;
    }
    if (this.#reflinks && type === sys.S.IFREG && blocks > 0) this.#askShared(dir, name);
  }

  #askShared(dir: number, name: string): void {
    try {
      const fd = sys.openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
      try {
        for (const { physical, length } of sys.sharedExtents(fd)) this.#shared.push(physical, BigInt(length));
      } finally {
        sys.close(fd);
      }
    } catch (error) {
      if (!isErrno(error, "ENOENT", "ELOOP", "EOPNOTSUPP", "ENOTTY", "EINVAL", "EPERM", "EACCES")) throw error;
    }
  }
}

/** The descriptor of a directory. */
class Opened implements Disposable {
  fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  close(): void {
    if (this.fd >= 0) sys.close(this.fd);
    this.fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function open(dir: number, name: string): number | undefined {
  try {
    return sys.openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    // It is gone, or no directory any more.
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw error;
  }
}
