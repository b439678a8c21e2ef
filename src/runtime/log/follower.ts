import { type LogFile, openLogFile } from "./files.js";
import { type Part, readPart } from "./part.js";
import { rotatedName } from "./rotate.js";

/** Reads on in a log that is being written, also when its files are put aside meanwhile. */
export class Follower implements AsyncDisposable {
  readonly #path: string;
  #file: LogFile | undefined;
  #offset: number;

  /** @param file the youngest, read up to its `size`; this closes it */
  constructor(path: string, file: LogFile | undefined) {
    this.#path = path;
    this.#file = file;
    this.#offset = file?.size ?? 0;
  }

  /** What has been written since. */
  async *news(): AsyncGenerator<Part> {
    for (;;) {
      this.#file ??= await openLogFile(this.#path);
      if (!this.#file) return;
      yield* this.#rest(this.#file);
      const next = await this.#next(this.#file);
      if (!next) return;
      // Written before it was put aside, after it was read.
      yield* this.#rest(this.#file);
      yield undefined;
      await this.#file.handle.close();
      this.#file = next;
      this.#offset = 0;
    }
  }

  async *#rest({ handle }: LogFile): AsyncGenerator<Part> {
    const { size } = await handle.stat();
    if (size < this.#offset) {
      // Emptied, as there may be one file only.
      this.#offset = 0;
      yield undefined;
    }
    for await (const bytes of readPart(handle, this.#offset, size)) {
      this.#offset += bytes.length;
      yield bytes;
    }
  }

  /** The file that took the place of `file`, which has been put aside one or more times; undefined: it has not. */
  async #next(file: LogFile): Promise<LogFile | undefined> {
    let younger = await openLogFile(this.#path);
    if (!younger || younger.inode === file.inode) {
      await younger?.handle.close();
      return undefined;
    }
    const youngest = younger;
    for (let number = 1; ; number++) {
      const older = await openLogFile(rotatedName(this.#path, number));
      if (older?.inode === file.inode || !older) {
        await older?.handle.close();
        // Compressed or deleted: then how many are between is not known any more.
        const next = older ? younger : youngest;
        if (next !== youngest) await youngest.handle.close();
        if (next !== younger) await younger.handle.close();
        return next;
      }
      if (younger !== youngest) await younger.handle.close();
      younger = older;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.handle.close();
  }
}
