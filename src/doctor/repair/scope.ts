import { join } from "node:path";
import { parseSplit } from "../../layer/index.js";
import { type Path, parentOf } from "../../spec/index.js";
import * as sys from "../../sys/index.js";

/**
 * What a directory holds: this layer alone; or the layers below as well, and whether those are known to be right (in the
 * tree `below`) or not.
 */
export type Holds =
  | { readonly kind: "own" }
  | { readonly kind: "whole"; readonly below: string | undefined }
  | { readonly kind: "unsure" };

/**
 * What is known of how a layer's directory has to be. In one that holds this layer alone that is everything there is; in
 * a tree that has the layers below as well it is what the layer's tar names, and the rest only where those are right.
 */
export class Scope {
  readonly #holds: Holds;
  readonly #named = new Set<Path>();
  /** Named, and the directories on the way there. */
  readonly #reached = new Set<Path>([""]);
  readonly #deleted = new Set<Path>();
  readonly #opaque = new Set<Path>();

  static async of(split: string, holds: Holds): Promise<Scope> {
    const scope = new Scope(holds);
    await parseSplit(split, ({ kind, path }) => scope.#add(kind, path));
    return scope;
  }

  private constructor(holds: Holds) {
    this.#holds = holds;
  }

  get #knowsAll(): boolean {
    return this.#holds.kind !== "unsure";
  }

  /** Mode and owner of a directory: the tar may have implied it by what is in it, and each driver its own mode. */
  knowsDirectory(path: Path): boolean {
    if (this.knowsTime(path)) return true;
    return (
      this.#holds.kind === "whole" && this.#holds.below !== undefined && isDirectory(join(this.#holds.below, path))
    );
  }

  /** The time of a directory, and its xattrs, which dockerd does not take along. */
  knowsTime(path: Path): boolean {
    return this.#named.has(path) && !(path === "" && this.#holds.kind === "own");
  }

  /** What is there, if it is no directory. */
  knowsNode(path: Path): boolean {
    return this.#knowsAll || this.#named.has(path);
  }

  /** That it has to be there, and whether it is a directory. */
  knowsPlace(path: Path): boolean {
    return this.#knowsAll || this.#reached.has(path);
  }

  /** That it must not be there, where the layer made anew does not have it. */
  knowsAbsence(path: Path): boolean {
    if (this.#knowsAll || this.#deleted.has(path)) return true;
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

function isDirectory(path: string): boolean {
  const found = new sys.Stat();
  return sys.tryLstatat(sys.AT_FDCWD, path, found) && (found.mode & sys.S.IFMT) === sys.S.IFDIR;
}
