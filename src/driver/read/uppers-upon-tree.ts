import { type Stat, tryLstatat } from "../../sys/index.js";
import type { DiffSource } from "../driver.js";
import { isWhiteout } from "../node-kind.js";
import type { Pair, Place } from "./differences.js";
import { closeAll, openDirectoryIn, openRoot, sortedNames } from "./directory.js";
import { isOpaque, mergeSorted } from "./upon-layers.js";

/** A directory that overlayfs merges: of an upper directory and of the tree below it, as far as each has it. */
interface Merged {
  readonly own: number | undefined;
  readonly tree: number | undefined;
}

/**
 * Two upper directories of overlayfs upon one tree. The result is that of comparing the merged trees, at the cost of
 * what the two hold, and without a mount: what neither has is the tree's in both.
 */
export class UppersUponTree implements Pair {
  readonly names: readonly string[];
  readonly #up: Merged;
  /** Absent: all is added. */
  readonly #low: Merged | undefined;
  readonly #overlay: string;

  /** @throws Redirected, also while entering: only the merged trees tell */
  static open({ upper, lower, tree, xattrPrefix }: Extract<DiffSource, { kind: "uppers" }>): UppersUponTree {
    const open: number[] = [];
    const opened = (path: string) => {
      const fd = openRoot(path);
      open.push(fd);
      return fd;
    };
    try {
      const up = { own: opened(upper), tree: opened(tree) };
      const low = { own: lower === undefined ? undefined : opened(lower), tree: opened(tree) };
      return new UppersUponTree(up, low, xattrPrefix);
    } catch (error) {
      closeAll(open);
      throw error;
    }
  }

  private constructor(up: Merged, low: Merged | undefined, overlay: string) {
    this.#up = up;
    this.#low = low;
    this.#overlay = overlay;
    const treeIsInBoth = up.tree !== undefined && low?.tree !== undefined;
    const more = [low?.own, ...(treeIsInBoth ? [] : [up.tree, low?.tree])];
    this.names = more.reduce((names, fd) => mergeSorted(names, namesIn(fd)), namesIn(up.own));
  }

  findUp(name: string, stat: Stat): number | undefined {
    return find(this.#up, name, stat);
  }

  findLow(name: string, stat: Stat): Place | undefined {
    const dir = this.#low && find(this.#low, name, stat);
    return dir === undefined ? undefined : { dir, name };
  }

  enter(name: string, up: number, low: Place | undefined): UppersUponTree | undefined {
    const inUp = this.#enter(this.#up, name, up);
    if (inUp.own === undefined && inUp.tree === undefined) return undefined;
    try {
      const inLow = low && this.#low && this.#enter(this.#low, name, low.dir);
      return new UppersUponTree(inUp, inLow, this.#overlay);
    } catch (error) {
      closeAll([inUp.own, inUp.tree]);
      throw error;
    }
  }

  close(): void {
    closeAll([this.#up.own, this.#up.tree, this.#low?.own, this.#low?.tree]);
  }

  #enter(above: Merged, name: string, found: number): Merged {
    const own = found === above.own ? openDirectoryIn(found, name) : undefined;
    try {
      const hides = own !== undefined && isOpaque(own, this.#overlay);
      return { own, tree: hides || above.tree === undefined ? undefined : openDirectoryIn(above.tree, name) };
    } catch (error) {
      closeAll([own]);
      throw error;
    }
  }
}

function namesIn(dir: number | undefined): readonly string[] {
  return dir === undefined ? [] : sortedNames(dir);
}

/** @returns the directory that has it */
function find({ own, tree }: Merged, name: string, stat: Stat): number | undefined {
  if (own !== undefined && tryLstatat(own, name, stat)) return isWhiteout(stat) ? undefined : own;
  return tree !== undefined && tryLstatat(tree, name, stat) ? tree : undefined;
}
