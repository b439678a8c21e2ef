import { isErrno, joinPath, type Path, parentOf } from "../../spec/index.js";
import { close, lstatat, O, openat, readDirectory, Stat } from "../../sys/index.js";
import { isDirectory } from "../node-kind.js";
import { bothWrittenAndDeleted } from "./entry-error.js";
import type { Hiding } from "./hiding.js";
import { removeAt } from "./remove-at.js";

const directory = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;
const stat = new Stat();

/** For a copy of the layers below: what a layer hides is deleted. What the layer itself has written stays. */
export class HideByRemoval implements Hiding {
  /** Every path written in this layer, and the directories above them. */
  readonly #written = new Set<Path>();
  readonly #removed: () => void;

  /** @param removed told that a directory, or a link to one, may be gone */
  constructor(removed: () => void) {
    this.#removed = removed;
  }

  wrote(path: Path): void {
    for (let at = path; at !== "" && !this.#written.has(at); at = parentOf(at)) this.#written.add(at);
  }

  owns(path: Path): boolean {
    return this.#written.has(path);
  }

  givesWay(path: Path): boolean {
    return !this.#written.has(path);
  }

  whiteout(dir: number, name: string, path: Path): void {
    if (this.#written.has(path)) throw bothWrittenAndDeleted(path);
    try {
      removeAt(dir, name, path);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
    this.#removed();
  }

  opaque(place: number, path: Path): void {
    this.#hideIn(openat(place, ".", directory), path);
    this.#removed();
  }

  #hideIn(fd: number, path: Path): void {
    try {
      for (const { name } of readDirectory(fd)) this.#hide(fd, name, joinPath(path, name));
    } finally {
      close(fd);
    }
  }

  #hide(dir: number, name: string, path: Path): void {
    if (!this.#written.has(path)) removeAt(dir, name, path);
    else if (isDirectory(lstatat(dir, name, stat))) this.#hideIn(openat(dir, name, directory), path);
  }
}
