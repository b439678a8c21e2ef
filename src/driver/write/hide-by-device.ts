import type { Meta } from "../../overlayfs/index.js";
import { isErrno, type Path } from "../../spec/index.js";
import { close, fsetxattr, lchownat, lstatat, mknodat, O, openat, S, Stat } from "../../sys/index.js";
import type { WriteTarget } from "../driver.js";
import { isWhiteout } from "../node-kind.js";
import { bothWrittenAndDeleted } from "./entry-error.js";
import type { Hiding } from "./hiding.js";
import { type Owners, ownerOfEntry } from "./owner-on-disk.js";

const stat = new Stat();

/** As overlayfs has it: a whiteout is a 0:0 character device, an opaque directory has an xattr. */
export class HideByDevice implements Hiding {
  readonly #opaque: string;

  readonly #owners: Owners;

  constructor({ xattrPrefix, ...owners }: Owners & Pick<WriteTarget, "xattrPrefix">) {
    this.#opaque = `${xattrPrefix}opaque`;
    this.#owners = owners;
  }

  wrote(): void {}

  /** Nothing else is in the directory of a fresh layer. */
  owns(): boolean {
    return true;
  }

  givesWay(_path: Path, found: Stat): boolean {
    return isWhiteout(found);
  }

  whiteout(dir: number, name: string, path: Path, meta?: Meta): void {
    try {
      mknodat(dir, name, S.IFCHR);
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      if (!isWhiteout(lstatat(dir, name, stat))) throw bothWrittenAndDeleted(path);
    }
    const { uid, gid } = ownerOfEntry(path, meta ?? { uid: 0, gid: 0 }, this.#owners);
    if (uid !== 0 || gid !== 0) lchownat(dir, name, uid, gid);
  }

  opaque(directory: number): void {
    const fd = openat(directory, ".", O.O_RDONLY | O.O_DIRECTORY);
    try {
      fsetxattr(fd, this.#opaque, Buffer.from("y"));
    } finally {
      close(fd);
    }
  }
}
