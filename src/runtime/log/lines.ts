import { type LogEntry, parseEntry, timeOf } from "./entry.js";
import { formatEntry, type LogFormat } from "./format.js";
import type { Part } from "./part.js";

export interface LineOptions extends LogFormat {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
}

const newline = 10;

/** Picks the lines that are wanted out of the bytes of a log, and makes of them what the client gets. */
export class Lines {
  #options: LineOptions;
  #begun: Buffer[] = [];
  /** A line was later than what is wanted: all that follow are. */
  ended = false;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  /** Later lines are not wanted. */
  endAt(untilNs: bigint): void {
    this.#options = { ...this.#options, untilNs };
  }

  take(part: Part): Buffer {
    const out: Buffer[] = [];
    if (part === undefined) {
      // The last line may be whole but for its end.
      this.#add(Buffer.concat(this.#begun), out);
      this.#begun = [];
      return Buffer.concat(out);
    }
    for (let at = 0; at < part.length && !this.ended; ) {
      const end = part.indexOf(newline, at);
      const piece = part.subarray(at, end < 0 ? part.length : end);
      at += piece.length + 1;
      if (end < 0 || this.#begun.length > 0) this.#begun.push(piece);
      if (end < 0) break;
      this.#add(this.#begun.length > 0 ? Buffer.concat(this.#begun) : piece, out);
      this.#begun = [];
    }
    return Buffer.concat(out);
  }

  #add(line: Buffer, out: Buffer[]): void {
    const entry = line.length === 0 ? undefined : parseEntry(line.toString());
    if (entry && this.#wanted(entry)) out.push(formatEntry(entry, this.#options));
  }

  #wanted(entry: LogEntry): boolean {
    const { sinceNs, untilNs } = this.#options;
    if (sinceNs !== undefined || untilNs !== undefined) {
      const timeNs = timeOf(entry);
      this.ended ||= untilNs !== undefined && timeNs > untilNs;
      if (this.ended || (sinceNs !== undefined && timeNs < sinceNs)) return false;
    }
    return this.#options[entry.stream] === true;
  }
}
