import { compareNames, joinPath, type Path } from "../../spec/index.js";
import { fgetxattr, Stat } from "../../sys/index.js";
import { isDirectory, isWhiteout } from "../node-kind.js";
import { closeAll, openDirectoryIn, openRoot, sortedNames, tryLstat } from "./directory.js";
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
      this.#push("", root, lower === undefined ? undefined : openRoot(lower), undefined);
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

  #push(path: Path, upper: number, lower: number | undefined, untold: Difference | undefined): void {
    const names = this.#namesOf(upper, lower);
    this.#frames.push({ path, upper, lower, names, next: 0, untold });
  }

  /** Names to look at: an upper directory tells only its own, unless it hides all below. */
  #namesOf(upper: number, lower: number | undefined): readonly string[] {
    const names = sortedNames(upper);
    if (lower === undefined) return names;
    if (this.#opaque !== undefined && fgetxattr(upper, this.#opaque)?.[0] !== 0x79) return names;
    return mergeSorted(names, sortedNames(lower));
  }

  *#compare(frame: Frame, name: string): Generator<Difference, void> {
    const path = joinPath(frame.path, name);
    const place = { path, dir: frame.upper, name };
    const isUp = tryLstat(frame.upper, name, this.#up) && !(this.#opaque !== undefined && isWhiteout(this.#up));
    const isLow = frame.lower !== undefined && tryLstat(frame.lower, name, this.#low);
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
      this.#push(path, child, below, isSame ? difference : undefined);
    }
    if (!isSame) yield* this.#tell(difference);
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

function mergeSorted(a: readonly string[], b: readonly string[]): readonly string[] {
  const known = new Set(a);
  const more = b.filter((name) => !known.has(name));
  return more.length === 0 ? a : [...a, ...more].sort(compareNames);
}
