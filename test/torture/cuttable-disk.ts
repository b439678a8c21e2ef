import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { output } from "../oracle/run.js";
import type { Scratch } from "../oracle/scratch.js";

/**
 * A disk whose power can be cut: a file on an XFS, which is cloned in one step. What had reached the disk is in the
 * clone; what was in memory is not.
 */
export class CuttableDisk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  readonly #file: string;
  readonly #clone: string;

  /** XFS refuses a second of the same name, and another mount namespace may have a copy of the first for a while yet. */
  readonly #options: string;

  private constructor(directory: string, type: "ext4" | "xfs") {
    this.#options = type === "xfs" ? "loop,nouuid" : "loop";
    this.path = join(directory, "mounted");
    this.#file = join(directory, "disk");
    this.#clone = join(directory, "cut");
  }

  /** @param host an XFS; one disk at a time */
  static async make(host: Scratch, type: "ext4" | "xfs"): Promise<CuttableDisk> {
    const disk = new CuttableDisk(host.path, type);
    await mkdir(disk.path, { recursive: true });
    await rm(disk.#file, { force: true });
    await output("truncate", ["-s", "1G", disk.#file]);
    await output(`mkfs.${type}`, ["-q", disk.#file]);
    await disk.#mount();
    return disk;
  }

  /** Nothing that is written from now on is kept. */
  cut(): void {
    execFileSync("cp", ["--reflink=always", this.#file, this.#clone]);
  }

  /** Mounts what was there when the power was cut. Whoever used the disk has ended. */
  async powerUp(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await rename(this.#clone, this.#file);
    await this.#mount();
  }

  /**
   * Makes the file system write its journal every few milliseconds. By itself it would do so every five seconds or so,
   * and then most of what is cut off would be just as it was before: so one sees files whose names have reached the
   * disk and whose content has not.
   */
  unsettle(): { end(): Promise<void> } {
    let over = false;
    const writing = (async () => {
      const file = await open(join(this.path, "unrest"), "w");
      while (!over) {
        await file.write("x");
        await file.sync();
        await delay(randomInt(1, 40));
      }
      await file.close();
    })();
    return {
      end: async () => {
        over = true;
        await writing;
      },
    };
  }

  async #mount(): Promise<void> {
    await output("mount", ["-o", this.#options, this.#file, this.path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await output("umount", ["--lazy", this.path]).catch(() => {});
  }
}
