import { joinPath, type Path } from "../../spec/index.js";
import { close, lgetxattr, llistxattr, S, Stat, tryLstatat } from "../../sys/index.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { closeAll, openDirectoryIn, openRoot, sortedNames } from "./directory.js";

/** A directory was renamed by overlayfs itself: what it holds is to be found under another name. */
export class Redirected extends Error {}

/** A layer's directory, open, and a path that leads to it. */
interface Layer {
  readonly dir: number;
  readonly at: string;
}

/**
 * A directory of the tree that layers make together, as overlayfs shows it, without a mount: what is asked of it is
 * asked of each layer that has it, by path from its root. The layers do not change meanwhile.
 */
export class Lower {
  /** Those that have the directory, top first; what an opaque one hides is left out. */
  readonly #layers: readonly Layer[];
  readonly #path: Path;
  /** Prefix of overlayfs's xattrs; without it there is one layer, in which whiteouts are devices like others. */
  readonly #overlay: string | undefined;
  readonly #owns: boolean;

  /** The root of all. @param roots top first */
  static open(roots: readonly string[], overlay?: string): Lower {
    const layers: Layer[] = [];
    try {
      for (const at of roots) layers.push({ dir: openRoot(at), at });
    } catch (error) {
      closeAll(layers.map(({ dir }) => dir));
      throw error;
    }
    return new Lower(layers, "", overlay, true);
  }

  private constructor(layers: readonly Layer[], path: Path, overlay: string | undefined, owns: boolean) {
    this.#layers = layers;
    this.#path = path;
    this.#overlay = overlay;
    this.#owns = owns;
  }

  /** Path of `name` from the `dir` that `find` gives. */
  to(name: string): Path {
    return joinPath(this.#path, name);
  }

  /** Looks for `name`, into `stat`. @returns an open directory from which it is at `to(name)`; undefined: it is not there */
  find(name: string, stat: Stat): number | undefined {
    const path = this.to(name);
    const found = this.#layers.find(({ dir }) => tryLstatat(dir, path, stat));
    return found === undefined || this.#hides(stat) ? undefined : found.dir;
  }

  /**
   * The directory `name`, which `find` has found in `dir`.
   *
   * @throws Redirected: a layer has it under another name
   */
  enter(name: string, dir: number): Lower {
    const path = this.to(name);
    const layers: Layer[] = [];
    const candidates = this.#layers.slice(this.#layers.findIndex((layer) => layer.dir === dir));
    for (const layer of candidates) {
      if (layers.length > 0 && !tryLstatat(layer.dir, path, stat)) continue;
      if (layers.length > 0 && !isDirectory(stat)) break;
      layers.push(layer);
      if (layer !== candidates.at(-1) && this.#isOpaque(`${layer.at}/${path}`)) break;
    }
    const lower = new Lower(layers, path, this.#overlay, false);
    return path.length < longest ? lower : lower.#opened();
  }

  /** The same, in the form in which that many questions about names in it are answered soonest. */
  expecting(names: number): Lower {
    return names > many * this.#layers.length && this.#path !== "" ? this.#opened() : this;
  }

  /** All names, each once; some of them may be whiteouts. */
  names(): readonly string[] {
    const names = new Set<string>();
    for (const { dir } of this.#layers) {
      const fd = openDirectoryIn(dir, this.#path || ".");
      if (fd === undefined) continue;
      try {
        for (const name of sortedNames(fd)) names.add(name);
      } finally {
        close(fd);
      }
    }
    return [...names];
  }

  close(): void {
    if (this.#owns) closeAll(this.#layers.map(({ dir }) => dir));
  }

  /** By descriptors of its own instead of paths from above. */
  #opened(): Lower {
    const layers: Layer[] = [];
    for (const { dir: from, at } of this.#layers) {
      const dir = openDirectoryIn(from, this.#path);
      const path = `${at}/${this.#path}`;
      if (dir !== undefined) layers.push({ dir, at: path.length < longest ? path : `/proc/self/fd/${dir}` });
    }
    this.close();
    return new Lower(layers, "", this.#overlay, true);
  }

  #hides(stat: Stat): boolean {
    return this.#overlay !== undefined && (stat.mode & S.IFMT) === S.IFCHR && isWhiteout(stat);
  }

  #isOpaque(path: string): boolean {
    const marks = llistxattr(path);
    if (marks.includes(`${this.#overlay}redirect`)) throw new Redirected();
    return marks.includes(`${this.#overlay}opaque`) && lgetxattr(path, `${this.#overlay}opaque`)?.[0] === 0x79;
  }
}

const stat = new Stat();
/** In UTF-16 units, each three bytes at most: two such paths and a name more are still less than PATH_MAX. */
const longest = 500;

/** From so many names on it pays to open a layer's directory: each is then found without walking down to it. */
const many = 8;
