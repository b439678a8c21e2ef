import { statfs } from "node:fs/promises";
import type { Usage } from "../../doctor/index.js";
import type { CheckedGC } from "./gc-settings.js";

/** How far a root is beyond its limits; bytes, 0 for not. */
export class Excess {
  readonly #root: string;
  readonly #limits: CheckedGC;
  #taken: number;

  constructor({ Root, Total }: Usage, limits: CheckedGC) {
    this.#root = Root;
    this.#limits = limits;
    this.#taken = Total.Bytes;
  }

  /** So much has gone since it was measured. */
  freed(bytes: number): void {
    this.#taken -= bytes;
  }

  /** With the limit that it is the farthest beyond. */
  async now(): Promise<{ readonly bytes: number; readonly why: string }> {
    const { keepBytes = Number.POSITIVE_INFINITY, diskPercent = 100 } = this.#limits;
    const { blocks, bfree, bavail, bsize } = await statfs(this.#root);
    // As df(1): what is kept for root counts neither as used nor as free.
    const [used, usable] = [(blocks - bfree) * bsize, (blocks - bfree + bavail) * bsize];
    const storage = Math.max(0, this.#taken - keepBytes);
    const disk = diskPercent === 100 ? 0 : Math.max(0, Math.ceil(used - (usable * diskPercent) / 100));
    if (storage >= disk) return { bytes: storage, why: `the root takes ${this.#taken} bytes of ${keepBytes}` };
    return { bytes: disk, why: `the disk is ${Math.ceil((used * 100) / usable)}% full, more than ${diskPercent}%` };
  }
}
