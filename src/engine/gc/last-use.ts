import { mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Image } from "../../image/index.js";
import { hexOf, type ImageID, isErrno, parseRFC3339 } from "../../spec/index.js";

const file = "layerkit-last-used";
/** What was written down so short a time ago is not written again. */
const graceMs = 30_000;

/**
 * When images were last used, in milliseconds since 1970: the time of an empty file beside what is known of an image
 * otherwise, which goes with it. It is written at most every half minute: that is what a crash may cost.
 */
export class LastUse {
  readonly #imagedb: string;
  readonly #used = new Map<ImageID, number>();
  readonly #written = new Map<ImageID, number>();

  /** @param images `image/DRIVER` under the data root */
  constructor(images: string) {
    this.#imagedb = join(images, "imagedb");
  }

  /** Of an image that has not been used since it came, when it came or got its tag. */
  of({ id, lastTagged }: Image): number {
    const tagged = lastTagged === undefined ? undefined : parseRFC3339(lastTagged);
    return Math.max(
      this.#used.get(id) ?? 0,
      timeOf(join(this.#imagedb, "metadata/sha256", hexOf(id), file)),
      timeOf(join(this.#imagedb, "content/sha256", hexOf(id))),
      Number((tagged ?? 0n) / 1_000_000n),
    );
  }

  /** It is used now. */
  note(id: ImageID, nowMs = Date.now()): void {
    this.#used.set(id, nowMs);
    if ((this.#written.get(id) ?? 0) + graceMs <= nowMs) this.#write(id, nowMs);
  }

  /** Writes down what was not yet, of images that are there still. */
  close(isThere: (id: ImageID) => boolean): void {
    for (const [id, nowMs] of this.#used) if (this.#written.get(id) !== nowMs && isThere(id)) this.#write(id, nowMs);
  }

  #write(id: ImageID, nowMs: number): void {
    const directory = join(this.#imagedb, "metadata/sha256", hexOf(id));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, file);
    writeFileSync(path, "", { flag: "a", mode: 0o600 });
    utimesSync(path, nowMs / 1000, nowMs / 1000);
    this.#written.set(id, nowMs);
  }
}

function timeOf(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return 0;
    throw error;
  }
}
