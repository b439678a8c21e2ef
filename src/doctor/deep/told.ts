import { Seen } from "../../archive/index.js";
import { type Path, parentOf } from "../../spec/index.js";

/** What a layer's archive speaks of, kept small: for who walks the directory and asks what belongs there. */
export class Told {
  readonly #places = new Seen();
  readonly #members = new Seen();
  readonly #hiding = new Set<Path>();

  /** What the layer puts there. */
  member(path: Path): void {
    this.#members.add(path);
    this.#place(path);
  }

  /** @param isMarked deletions stand in the directory themselves */
  deleted(path: Path, isMarked: boolean): void {
    // The directory on the way is made, whether there was something to delete or not.
    this.#place(isMarked ? path : parentOf(path));
    this.#hiding.add(path);
  }

  opaque(path: Path): void {
    if (path !== "") this.#place(path);
    this.#hiding.add(path);
  }

  isMember(path: Path): boolean {
    return this.#members.has(path);
  }

  /** Whether something has to be there: a member, a mark, or a directory on the way to one, which is made if missing. */
  isPlace(path: Path): boolean {
    return this.#places.has(path);
  }

  /** Nothing of what is at the path in the layers below is seen. */
  hides(path: Path): boolean {
    return this.#hiding.has(path);
  }

  #place(path: Path): void {
    for (let at = path; at !== "" && this.#places.add(at); at = parentOf(at));
  }
}
