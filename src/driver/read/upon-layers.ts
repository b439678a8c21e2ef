import { compareNames } from "../../spec/index.js";
import { fgetxattr, flistxattr, type Stat, tryLstatat } from "../../sys/index.js";
import { isWhiteout } from "../node-kind.js";
import type { Pair, Place } from "./differences.js";
import { closeAll, openDirectoryIn, openRoot, sortedNames } from "./directory.js";
import { Lower, Redirected } from "./lower.js";

/** A tree, or an overlayfs upper directory, and the layers that it is compared with. */
export class UponLayers implements Pair {
  readonly names: readonly string[];
  readonly #upper: number;
  /** Absent: all that is in `upper` was added. */
  readonly #lower: Lower | undefined;
  /** All that the layers have here is hidden: `upper` has all there is. */
  readonly #hiding: boolean;
  readonly #overlay: string | undefined;

  /**
   * @param lowers a tree that does not change meanwhile, none, or with `overlay` layers, top first
   * @param overlay `upper` is an overlayfs upper directory upon the layers `lowers`; the prefix of their xattrs. The
   * result is that of comparing the merged trees, at the cost of what `upper` holds, and without a mount; from where
   * `Redirected` is thrown on it is to be had from the merged trees only, in the same order.
   */
  static open(upper: string, lowers: readonly string[], overlay?: string): UponLayers {
    const root = openRoot(upper);
    try {
      const below = lowers.length === 0 ? undefined : Lower.open(lowers, overlay);
      // Overlayfs takes no notice of a mark on the root.
      return new UponLayers(root, below, overlay === undefined, overlay);
    } catch (error) {
      closeAll([root]);
      throw error;
    }
  }

  private constructor(upper: number, lower: Lower | undefined, hiding: boolean, overlay: string | undefined) {
    this.names = namesOf(upper, lower, hiding);
    this.#upper = upper;
    this.#lower = lower?.expecting(this.names.length);
    this.#hiding = hiding;
    this.#overlay = overlay;
  }

  findUp(name: string, stat: Stat): number | undefined {
    if (!tryLstatat(this.#upper, name, stat)) return undefined;
    return this.#overlay !== undefined && isWhiteout(stat) ? undefined : this.#upper;
  }

  findLow(name: string, stat: Stat): Place | undefined {
    const dir = this.#lower?.find(name, stat);
    return dir === undefined ? undefined : { dir, name: this.#lower?.to(name) ?? name };
  }

  enter(name: string, up: number, low: Place | undefined): UponLayers | undefined {
    const child = openDirectoryIn(up, name);
    if (child === undefined) return undefined;
    try {
      const lower = low && this.#lower?.enter(name, low.dir);
      return new UponLayers(child, lower, this.#hiding || this.#isOpaque(child), this.#overlay);
    } catch (error) {
      closeAll([child]);
      throw error;
    }
  }

  close(): void {
    closeAll([this.#upper]);
    this.#lower?.close();
  }

  /** What an opaque directory hides stays hidden further down. */
  #isOpaque(directory: number): boolean {
    return this.#overlay !== undefined && isOpaque(directory, this.#overlay);
  }
}

/**
 * Whether an open upper directory hides what is below it.
 *
 * @param overlay prefix of overlayfs's xattrs
 * @throws Redirected: what it shows lies under another name
 */
export function isOpaque(directory: number, overlay: string): boolean {
  const marks = flistxattr(directory);
  if (marks.includes(`${overlay}redirect`)) throw new Redirected();
  const opaque = `${overlay}opaque`;
  return marks.includes(opaque) && fgetxattr(directory, opaque)?.[0] === 0x79;
}

/** Names to look at: an upper directory tells only its own, unless it hides all below. */
function namesOf(upper: number, lower: Lower | undefined, hiding: boolean): readonly string[] {
  const names = sortedNames(upper);
  return lower === undefined || !hiding ? names : mergeSorted(names, lower.names());
}

/** The names of two lists, each once, in byte-wise lexical order. @param a in that order */
export function mergeSorted(a: readonly string[], b: readonly string[]): readonly string[] {
  const known = new Set(a);
  const more = b.filter((name) => !known.has(name));
  return more.length === 0 ? a : [...a, ...more].sort(compareNames);
}
