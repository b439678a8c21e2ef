import { parseSplit } from "../../layer/index.js";
import { type Path, parentOf } from "../../spec/index.js";

/**
 * What a layer's tar says something about. In a directory that holds this layer alone that is everything there is; in a
 * tree that has the layers below as well, only what the tar names: about the rest it proves nothing.
 */
export class Scope {
  readonly #isWhole: boolean;
  readonly #named = new Set<Path>();
  /** Named, and the directories on the way there. */
  readonly #reached = new Set<Path>([""]);
  readonly #deleted = new Set<Path>();
  readonly #opaque = new Set<Path>();

  /** @param isWhole the directory holds this layer alone */
  static async of(split: string, isWhole: boolean): Promise<Scope> {
    const scope = new Scope(isWhole);
    await parseSplit(split, ({ kind, path }) => scope.#add(kind, path));
    return scope;
  }

  private constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  /** Mode, owner and times of a directory: the tar may have implied it by what is in it. */
  knowsDirectory(path: Path): boolean {
    return this.#named.has(path) && !(path === "" && this.#isWhole);
  }

  /** What is there, if it is no directory. */
  knowsNode(path: Path): boolean {
    return this.#isWhole || this.#named.has(path);
  }

  /** That it has to be there, and whether it is a directory. */
  knowsPlace(path: Path): boolean {
    return this.#isWhole || this.#reached.has(path);
  }

  /** That it must not be there, where the layer made anew does not have it. */
  knowsAbsence(path: Path): boolean {
    if (this.#isWhole || this.#deleted.has(path)) return true;
    for (let at = path; at !== ""; at = parentOf(at)) if (this.#opaque.has(parentOf(at))) return true;
    return false;
  }

  /** Whether there can be anything to be known in this directory. */
  enters(path: Path): boolean {
    return this.knowsPlace(path) || this.knowsAbsence(path);
  }

  #add(kind: string, path: Path): void {
    if (kind === "whiteout") this.#deleted.add(path);
    else if (kind === "opaque") this.#opaque.add(path);
    else this.#named.add(path);
    for (let at = path; at !== "" && !this.#reached.has(at); at = parentOf(at)) {
      if (kind !== "whiteout" || at !== path) this.#reached.add(at);
    }
  }
}
