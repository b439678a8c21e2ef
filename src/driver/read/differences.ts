import { joinPath, type Path } from "../../spec/index.js";
import { Stat } from "../../sys/index.js";
import { isDirectory } from "../node-kind.js";
import { type Found, sameNode } from "./same-node.js";

/** A path at which two trees differ. */
export interface Difference {
  readonly kind: "modified" | "added" | "deleted";
  readonly path: Path;
  /** The directory of the upper tree, or one of its layers, in which it is, or was: open until the next is asked for. */
  readonly dir: number;
  readonly name: string;
}

/** A directory of an upper and a lower tree, open in both; or of the upper alone, where all is added. */
export interface Pair {
  /** Names to look at, in byte-wise lexical order: the two are the same in all others. */
  readonly names: readonly string[];
  /** Looks for `name` in the upper tree, into `stat`. @returns the directory that has it, open as long as the pair */
  findUp(name: string, stat: Stat): number | undefined;
  /** The same in the lower tree, whose directory may be one above: `name` is then a path. */
  findLow(name: string, stat: Stat): Place | undefined;
  /** The directory `name`, as found. @param low absent: the lower tree has none. @returns undefined: it has vanished */
  enter(name: string, up: number, low: Place | undefined): Pair | undefined;
  close(): void;
}

export type Place = Pick<Found, "dir" | "name">;

interface Frame {
  readonly path: Path;
  readonly pair: Pair;
  next: number;
  /** The directory itself, when it has not been told of: it is, as modified, once something inside differs. */
  untold: Difference | undefined;
}

/**
 * What is different in the upper tree from the lower one, in the order of `readTree`; a directory in which something
 * differs comes as modified before that.
 *
 * @param root closed at the end, as all that is entered from it
 */
export function* differences(root: Pair): Generator<Difference, void, undefined> {
  yield* new Comparison(root).run();
}

class Comparison {
  readonly #up = new Stat();
  readonly #low = new Stat();
  readonly #frames: Frame[];

  constructor(pair: Pair) {
    this.#frames = [{ path: "", pair, next: 0, untold: undefined }];
  }

  *run(): Generator<Difference, void> {
    try {
      for (let frame = this.#frames.at(-1); frame; frame = this.#frames.at(-1)) {
        const name = frame.pair.names[frame.next++];
        if (name === undefined) {
          this.#frames.pop();
          frame.pair.close();
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
      for (const { pair } of this.#frames) pair.close();
    }
  }

  /**
   * Looks at one name, and goes into the directory that it is.
   *
   * @returns undefined: it is the same in both, or a directory of which only what is in it may differ
   */
  #compare({ path: above, pair }: Frame, name: string): Difference | undefined {
    const path = joinPath(above, name);
    const dir = pair.findUp(name, this.#up);
    const low = pair.findLow(name, this.#low);
    if (dir === undefined) return low === undefined ? undefined : { kind: "deleted", path, dir: low.dir, name };
    const difference: Difference = { kind: low === undefined ? "added" : "modified", path, dir, name };
    const isSame = low !== undefined && sameNode({ dir, name, stat: this.#up }, { ...low, stat: this.#low });
    if (isDirectory(this.#up)) {
      const inner = pair.enter(name, dir, low !== undefined && isDirectory(this.#low) ? low : undefined);
      if (inner) this.#frames.push({ path, pair: inner, next: 0, untold: isSame ? difference : undefined });
    }
    return isSame ? undefined : difference;
  }
}
