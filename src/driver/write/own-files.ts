import { close, lstatat, O, openat, S, Stat, unlinkat } from "../../sys/index.js";
import type { Place } from "./apply-meta.js";
import { copyFile } from "./copy-file.js";
import type { Owners } from "./owner-on-disk.js";

const stat = new Stat();

/** For a tree whose files are other layers' too: knows those that are not, among files with several names. */
export class OwnFiles {
  readonly #owners: Owners;
  /** Inodes of this layer that have got a second name. All other files with more than one have it from other layers. */
  readonly #linked = new Set<bigint>();

  constructor({ ids: _, ...owners }: Owners) {
    // What is copied has its owner on disk already.
    this.#owners = owners;
  }

  /** Makes what is at `place`, about to get another name, a file of this layer's alone: by a copy, if it is not. */
  make(place: Place): void {
    const { dir, name } = place;
    lstatat(dir, name, stat);
    if ((stat.mode & S.IFMT) !== S.IFREG) return;
    if (stat.nlink > 1 && !this.#linked.has(stat.ino)) {
      this.#replace(place);
      lstatat(dir, name, stat);
    }
    this.#linked.add(stat.ino);
  }

  #replace(place: Place): void {
    const shared = openat(place.dir, place.name, O.O_RDONLY | O.O_NOFOLLOW);
    try {
      unlinkat(place.dir, place.name);
      copyFile(shared, place, this.#owners);
    } finally {
      close(shared);
    }
  }
}
