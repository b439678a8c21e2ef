import { compareNames, joinPath, type Path } from "../../spec/index.js";
import { fgetxattr, flistxattr, Stat, tryLstatat } from "../../sys/index.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { closeAll, openDirectoryIn, openRoot, sortedNames } from "./directory.js";
import { Lower, Redirected } from "./lower.js";
import { sameNode } from "./same-node.js";

/** A path at which two trees differ. */
export interface Difference {
  readonly kind: "modified" | "added" | "deleted";
  readonly path: Path;
  /** The upper tree's directory in which it is, or was: open until the next difference is asked for. */
  readonly dir: number;
  readonly name: string;
}

interface Frame {
  readonly path: Path;
  readonly upper: number;
  /** Absent: all that is in `upper` was added. */
  readonly lower: Lower | undefined;
  /** All that `lower` has here is hidden: `upper` has all there is. */
  readonly hiding: boolean;
  readonly names: readonly string[];
  next: number;
  /** The directory itself, when it has not been told of: it is, as modified, once something inside differs. */
  untold: Difference | undefined;
}

/**
 * What is different in the tree `upper` from that of `lowers`, in the order of `readTree`; a directory in which
 * something differs comes as modified before that.
 *
 * @param lowers a tree that does not change meanwhile, none, or with `overlay` layers, top first
 * @param overlay `upper` is an overlayfs upper directory upon the layers `lowers`; the prefix of their xattrs. The
 * result is that of comparing the merged trees, at the cost of what `upper` holds, and without a mount.
 * @throws Redirected: what comes from here on is to be had from the merged trees only, in the same order
 */
export function* differences(
  upper: string,
  lowers: readonly string[],
  overlay?: string,
): Generator<Difference, void, undefined> {
  yield* new Comparison(overlay).run(upper, lowers);
}

class Comparison {
  readonly #overlay: string | undefined;
  readonly #up = new Stat();
  readonly #low = new Stat();
  readonly #frames: Frame[] = [];

  constructor(overlay: string | undefined) {
    this.#overlay = overlay;
  }

  *run(upper: string, lowers: readonly string[]): Generator<Difference, void> {
    try {
      const root = openRoot(upper);
      const below = lowers.length === 0 ? undefined : Lower.open(lowers, this.#overlay);
      this.#push({ path: "", upper: root, lower: below, hiding: this.#overlay === undefined, untold: undefined });
      for (let frame = this.#frames.at(-1); frame; frame = this.#frames.at(-1)) {
        const name = frame.names[frame.next++];
        if (name === undefined) {
          this.#frames.pop();
          leave(frame);
          continue;
        }
        const difference = this.#compare(frame, name);
        if (difference === undefined) continue;
        for (const above of this.#frames) {
          const { untold } = above;
          above.untold = undefined;
          if (untold) yield untold;
        }
        yield difference;
      }
    } finally {
      this.#frames.forEach(leave);
    }
  }

  /** @param frame `hiding` as of the directory above: what an opaque one hides stays hidden further down */
  #push({ path, upper, lower, hiding: above, untold }: Omit<Frame, "names" | "next">): void {
    // Overlayfs takes no notice of a mark on the root.
    const hiding = above || (path !== "" && this.#isOpaque(upper));
    const names = namesOf(upper, lower, hiding);
    this.#frames.push({ path, upper, lower: lower?.expecting(names.length), hiding, untold, names, next: 0 });
  }

  #isOpaque(directory: number): boolean {
    if (this.#overlay === undefined) return false;
    const marks = flistxattr(directory);
    if (marks.includes(`${this.#overlay}redirect`)) throw new Redirected();
    const opaque = `${this.#overlay}opaque`;
    return marks.includes(opaque) && fgetxattr(directory, opaque)?.[0] === 0x79;
  }

  /**
   * Looks at one name, and goes into the directory that it is.
   *
   * @returns undefined: it is the same in both, or a directory of which only what is in it may differ
   */
  #compare(frame: Frame, name: string): Difference | undefined {
    const { path: above, upper: dir, hiding } = frame;
    const path = joinPath(above, name);
    const isUp = this.#isUp(dir, name);
    const low = frame.lower?.find(name, this.#low);
    if (!isUp) return low === undefined ? undefined : { kind: "deleted", path, dir, name };
    const difference: Difference = { kind: low === undefined ? "added" : "modified", path, dir, name };
    const isSame = low !== undefined && this.#isSame(frame, name, low);
    const child = isDirectory(this.#up) ? openDirectoryIn(dir, name) : undefined;
    if (child !== undefined) {
      const lower = low !== undefined && isDirectory(this.#low) ? frame.lower?.enter(name, low) : undefined;
      this.#push({ path, upper: child, lower, hiding, untold: isSame ? difference : undefined });
    }
    return isSame ? undefined : difference;
  }

  #isUp(dir: number, name: string): boolean {
    return tryLstatat(dir, name, this.#up) && !(this.#overlay !== undefined && isWhiteout(this.#up));
  }

  #isSame({ upper, lower }: Frame, name: string, low: number): boolean {
    const found = { dir: low, name: lower?.to(name) ?? name, stat: this.#low };
    return sameNode({ dir: upper, name, stat: this.#up }, found);
  }
}

function leave({ upper, lower }: Frame): void {
  closeAll([upper]);
  lower?.close();
}

/** Names to look at: an upper directory tells only its own, unless it hides all below. */
function namesOf(upper: number, lower: Lower | undefined, hiding: boolean): readonly string[] {
  const names = sortedNames(upper);
  return lower === undefined || !hiding ? names : mergeSorted(names, lower.names());
}

function mergeSorted(a: readonly string[], b: readonly string[]): readonly string[] {
  const known = new Set(a);
  const more = b.filter((name) => !known.has(name));
  return more.length === 0 ? a : [...a, ...more].sort(compareNames);
}
