import type { Meta } from "../../overlayfs/index.js";
import type { Path } from "../../spec/index.js";
import { fstat, Stat } from "../../sys/index.js";
import { type Owners, ownerOnDisk } from "./owner-on-disk.js";

const stat = new Stat();

/**
 * Knows where a new file already has the owner and mode it is to have: most files are root's, and two system calls
 * for each would be saved. A directory's setgid bit, default ACL or mount options may give a file something else, so
 * the first of each mode in each directory is looked at.
 */
export class AsMade {
  readonly #uid = process.geteuid?.();
  readonly #gid = process.getegid?.();
  readonly #kept = new Map<Path, Set<number>>();

  /** Mode to make the file with: that of `meta` where it has a chance to stay, else one that gives nobody access. */
  modeFor(meta: Meta, owners: Owners): number {
    const { uid, gid } = ownerOnDisk(meta, owners);
    const isOurs = uid === this.#uid && gid === this.#gid;
    // An ACL among the xattrs would change the mode.
    return isOurs && meta.mode <= 0o777 && meta.xattrs.size === 0 ? meta.mode : 0o600;
  }

  /** Whether `fd`, just made in directory `dir` with `mode`, is as `meta` wants it. */
  isRight(dir: Path, fd: number, mode: number, meta: Meta, owners: Owners): boolean {
    if (mode !== meta.mode || this.modeFor(meta, owners) !== mode) return false;
    if (this.#kept.get(dir)?.has(mode)) return true;
    fstat(fd, stat);
    if ((stat.mode & 0o7777) !== mode || stat.uid !== this.#uid || stat.gid !== this.#gid) return false;
    const known = this.#kept.get(dir);
    if (known) known.add(mode);
    else this.#kept.set(dir, new Set([mode]));
    return true;
  }

  /** A directory that was there may have changed. */
  forget(): void {
    this.#kept.clear();
  }
}
