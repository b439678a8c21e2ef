import { type FileHandle, open } from "node:fs/promises";
import { messageOf } from "../../spec/index.js";
import { wallClockNs } from "./clock.js";
import { LineEncoder, type OutputStream } from "./line-encoder.js";
import { compressYoungest, rotate } from "./rotate.js";

/** Lines that wait for the disk; with more, the process that writes them has to wait. */
const waitingLimit = 1 << 20;
const newline = 10;

export interface LogOptions {
  readonly path: string;
  readonly maxSize?: number;
  readonly maxFiles?: number;
  readonly compress?: boolean;
  readonly attrs?: Readonly<Record<string, string>>;
}

/** A place in a log that is being written. */
export interface LogPlace {
  /** Of the file. */
  readonly inode: bigint;
  /** Bytes of the file before it. */
  readonly size: number;
}

export interface LogEvents {
  /** There is room again after `write` returned false. */
  drained(): void;
  /** Lines are lost, since they cannot be written; told at the first loss of a row. */
  failed(message: string): void;
}

/** Writes the output of a container as Docker's json-file driver does. Nothing is synced: a power cut may cost lines. */
export class LogWriter {
  readonly #options: LogOptions;
  readonly #events: LogEvents;
  readonly #encoders: Readonly<Record<OutputStream, LineEncoder>>;
  #file: OpenLog;
  #size: number;
  /** Lines, and whom to tell when all before is written. */
  #waiting: (Buffer | (() => void))[] = [];
  #waitingSize = 0;
  #writing: Promise<void> | undefined;
  #failing = false;

  private constructor(options: LogOptions, events: LogEvents, file: OpenLog, size: number) {
    this.#options = options;
    this.#events = events;
    this.#file = file;
    this.#size = size;
    const sink = (lines: Buffer) => this.#push(lines);
    const encoder = (stream: OutputStream) => new LineEncoder(stream, options.attrs ?? {}, sink);
    this.#encoders = { stdout: encoder("stdout"), stderr: encoder("stderr") };
  }

  static async open(options: LogOptions, events: LogEvents): Promise<LogWriter> {
    const file = await openLog(options.path, "a+");
    try {
      const { size } = await file.handle.stat();
      const writer = new LogWriter(options, events, file, size);
      // A line that a crash has cut ends here, or it would spoil the next.
      if (size > 0 && !(await endsInNewline(file.handle, size))) writer.#push(Buffer.from("\n"));
      return writer;
    } catch (error) {
      await file.handle.close();
      throw error;
    }
  }

  /** Where the next line will stand; undefined while lines wait for the disk. */
  get place(): LogPlace | undefined {
    return this.#writing ? undefined : { inode: this.#file.inode, size: this.#size };
  }

  /** What of a stream's last line has not been written yet, since its end has not come. */
  begun(stream: OutputStream): Buffer {
    return this.#encoders[stream].begun;
  }

  /** @param chunk used up when this returns @returns false: nothing more, please, until `drained` */
  write(stream: OutputStream, chunk: Buffer): boolean {
    this.#encoders[stream].encode(chunk, wallClockNs());
    return this.#waitingSize < waitingLimit;
  }

  /** Resolves when all lines that have been finished up to now are in the file. */
  async written(): Promise<void> {
    if (this.#writing) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when all is written, unfinished lines too. */
  async close(): Promise<void> {
    for (const encoder of Object.values(this.#encoders)) encoder.end(wallClockNs());
    await this.#writing;
    await this.#file.handle.close();
  }

  #push(lines: Buffer): void {
    this.#waiting.push(lines);
    this.#waitingSize += lines.length;
    this.#writing ??= this.#writeWaiting();
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const [batch, full] = [this.#waiting, this.#waitingSize >= waitingLimit];
      this.#waiting = [];
      this.#waitingSize = 0;
      if (full) this.#events.drained();
      try {
        for (const lines of batch) {
          if (typeof lines === "function") continue;
          await this.#writeLines(lines);
          this.#failing = false;
        }
      } catch (error) {
        if (!this.#failing) this.#events.failed(`${this.#options.path}: ${messageOf(error)}; its lines are lost`);
        this.#failing = true;
      }
      for (const told of batch) if (typeof told === "function") told();
    }
    this.#writing = undefined;
  }

  /** A file is put aside before the first line for which it has no room. */
  async #writeLines(lines: Buffer): Promise<void> {
    const { maxSize } = this.#options;
    for (let rest = lines; rest.length > 0; ) {
      if (maxSize !== undefined && this.#size >= maxSize) await this.#next();
      const last = maxSize === undefined ? -1 : rest.indexOf(newline, maxSize - this.#size - 1);
      const end = last < 0 ? rest.length : last + 1;
      await this.#append(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) done += (await this.#file.handle.write(bytes, done)).bytesWritten;
      this.#size += bytes.length;
    } catch (error) {
      // No half line may stay before the next that can be written.
      await this.#file.handle.truncate(this.#size).catch(() => {});
      throw error;
    }
  }

  async #next(): Promise<void> {
    const { path, maxFiles = 1, compress = false } = this.#options;
    await rotate(path, maxFiles, compress);
    const file = await openLog(path, "a");
    await this.#file.handle.close();
    this.#file = file;
    if (maxFiles < 2) await file.handle.truncate(0);
    this.#size = 0;
    if (compress && maxFiles > 1) await compressYoungest(path);
  }
}

interface OpenLog {
  readonly handle: FileHandle;
  readonly inode: bigint;
}

async function openLog(path: string, flags: "a" | "a+"): Promise<OpenLog> {
  const handle = await open(path, flags, 0o640);
  try {
    return { handle, inode: (await handle.stat({ bigint: true })).ino };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function endsInNewline(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === newline;
}
