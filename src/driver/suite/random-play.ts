import * as fs from "node:fs";
import { join } from "node:path";
import { seededBytes } from "./seeded.js";

/** Does `steps` random things in a tree, the same for the same seed; what fails (EXDEV, ENOTEMPTY …) is passed over. */
export function playRandomly(root: string, seed: number, steps: number): void {
  const random = numbers(seed);
  const pick = <T>(from: readonly T[]): T => from[random() % from.length]!;
  for (let step = 0; step < steps; step++) {
    const all = ["", ...pathsBelow(root)];
    const directories = all.filter((path) => fs.lstatSync(join(root, path)).isDirectory());
    const fresh = () => join(root, pick(directories), `n${random() % 12}`);
    const any = join(root, pick(all));
    if (any === join(root, "")) continue;
    try {
      pick(deeds)(any, fresh(), step);
    } catch (error) {
      if (!/E(XDEV|NOTEMPTY|EXIST|ISDIR|NOTDIR|NOENT|INVAL|PERM|LOOP)/.test(String(error))) throw error;
    }
  }
}

/** @param any something that is there; @param fresh a place for something new, perhaps taken */
type Deed = (any: string, fresh: string, step: number) => void;

const deeds: readonly Deed[] = [
  (any) => fs.rmSync(any, { recursive: true }),
  (_, fresh) => fs.mkdirSync(fresh),
  (_, fresh, step) => fs.writeFileSync(fresh, seededBytes(step, step)),
  (any, _, step) => fs.appendFileSync(any, `more ${step}`),
  (any, _, step) => fs.writeFileSync(any, `rewritten ${step}`),
  (any, _, step) => !fs.lstatSync(any).isSymbolicLink() && fs.chmodSync(any, 0o700 | (step % 64)),
  (any, _, step) => fs.lchownSync(any, step % 3, step % 2),
  (any, fresh) => fs.renameSync(any, fresh),
  (any, fresh) => fs.renameSync(any, fresh),
  (any, fresh) => fs.linkSync(any, fresh),
  (_, fresh, step) => fs.symlinkSync(`target${step}`, fresh),
  (any, _, step) => fs.lutimesSync(any, 1_500_000_000 + step, 1_500_000_000 + step),
  (any) => {
    fs.rmSync(any, { recursive: true });
    fs.mkdirSync(any);
    fs.writeFileSync(join(any, "again"), "");
  },
  (any) => fs.closeSync(fs.openSync(any, "r+")),
];

function pathsBelow(root: string): string[] {
  return fs.readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
}

/** A generator good enough to vary a test. @see Marsaglia, Xorshift RNGs */
function numbers(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
