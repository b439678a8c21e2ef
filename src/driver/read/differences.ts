import { compareNames, joinPath, type Path } from "../../spec/index.js";
import { fgetxattr, Stat, tryLstatat } from "../../sys/index.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { closeAll, openDirectoryIn, openRoot, sortedNames } from "./directory.js";
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
  readonly lower: number | undefined;
  /** All that `lower` has here is hidden: `upper` has all there is. */
  readonly hiding: boolean;
  readonly names: readonly string[];
  next: number;
  /** The directory itself, when it has not been told of: it is, as modified, once something inside differs. */
  untold: Difference | undefined;
}

/**
 * What is different in the tree `upper` from the tree `lower`, in the order of `readTree`; a directory in which
 * something differs comes as modified before that.
 *
 * @param overlay `upper` is an overlayfs upper directory upon the merged tree `lower`; the prefix of its xattrs.
 * The result is that of comparing the merged trees, at the cost of what `upper` holds.
 */
export function* differences(upper: string, lower: string | undefined, overlay?: string): Generator<Difference, void> {
  yield* new Comparison(overlay).run(upper, lower);
}

class Comparison {
  readonly #opaque: string | undefined;
  readonly #up = new Stat();
  readonly #low = new Stat();
  readonly #frames: Frame[] = [];

  constructor(overlay: string | undefined) {
    this.#opaque = overlay === undefined ? undefined : `${overlay}opaque`;
  }

  *run(upper: string, lower: string | undefined): Generator<Difference, void> {
    try {
      const root = openRoot(upper);
      const below = lower === undefined ? undefined : openRoot(lower);
      this.#push({ path: "", upper: root, lower: below, hiding: this.#opaque === undefined, untold: undefined });
      for (let frame = this.#frames.at(-1); frame; frame = this.#frames.at(-1)) {
        const name = frame.names[frame.next++];
        if (name !== undefined) {
          yield* this.#compare(frame, name);
        } else {
          this.#frames.pop();
          closeAll([frame.upper, frame.lower]);
        }
      }
    } finally {
      closeAll(this.#frames.flatMap((frame) => [frame.upper, frame.lower]));
    }
  }

  /** @param frame `hiding` as of the directory above: what an opaque one hides stays hidden further down */
  #push(frame: Omit<Frame, "names" | "next">): void {
    const hiding = frame.hiding || this.#isOpaque(frame.upper);
    this.#frames.push({ ...frame, hiding, names: namesOf(frame.upper, frame.lower, hiding), next: 0 });
  }

  #isOpaque(directory: number): boolean {
    return this.#opaque !== undefined && fgetxattr(directory, this.#opaque)?.[0] === 0x79;
  }

  *#compare(frame: Frame, name: string): Generator<Difference, void> {
    const path = joinPath(frame.path, name);
    const place = { path, dir: frame.upper, name };
    const isUp = this.#isThere(frame.upper, name, this.#up);
    // A bottom layer is not mounted: its whiteouts, of nothing, are seen as they are.
    const isLow = frame.lower !== undefined && this.#isThere(frame.lower, name, this.#low);
    if (!isUp) {
      if (isLow) yield* this.#tell({ ...place, kind: "deleted" });
      return;
    }
    const bothDirectories = isLow && isDirectory(this.#up) && isDirectory(this.#low);
    const isSame = isLow && this.#isSame(frame, name);
    const child = isDirectory(this.#up) ? openDirectoryIn(frame.upper, name) : undefined;
    const difference: Difference = { ...place, kind: isLow ? "modified" : "added" };
    if (child !== undefined) {
      const below = bothDirectories ? openDirectoryIn(frame.lower!, name) : undefined;
      const untold = isSame ? difference : undefined;
      this.#push({ path, upper: child, lower: below, hiding: frame.hiding, untold });
    }
    if (!isSame) yield* this.#tell(difference);
  }

  #isThere(dir: number, name: string, stat: Stat): boolean {
    return tryLstatat(dir, name, stat) && !(this.#opaque !== undefined && isWhiteout(stat));
  }

  #isSame(frame: Frame, name: string): boolean {
    const up = { dir: frame.upper, name, stat: this.#up };
    return sameNode(up, { dir: frame.lower!, name, stat: this.#low });
  }

  /** First the directories above it that have not been told. */
  *#tell(difference: Difference): Generator<Difference, void> {
    for (const frame of this.#frames) {
      const { untold } = frame;
      frame.untold = undefined;
      if (untold) yield untold;
    }
    yield difference;
  }
}

/** Names to look at: an upper directory tells only its own, unless it hides all below. */
function namesOf(upper: number, lower: number | undefined, hiding: boolean): readonly string[] {
  const names = sortedNames(upper);
  return lower === undefined || !hiding ? names : mergeSorted(names, sortedNames(lower));
}

function mergeSorted(a: readonly string[], b: readonly string[]): readonly string[] {
  const known = new Set(a);
  const more = b.filter((name) => !known.has(name));
  return more.length === 0 ? a : [...a, ...more].sort(compareNames);
}
