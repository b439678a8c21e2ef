import { goJSONSorted, rfc3339 } from "../../spec/index.js";
import { type Cursor, escapeLines, growth } from "./json-bytes.js";

/** Longer lines are cut into pieces of so many bytes, all but the last without `\n`. @see moby daemon/logger/copier.go */
export const pieceSize = 16_384;

export type OutputStream = "stdout" | "stderr";

const newline = 10;
const head = '{"log":"';

/** Where lines are made; what a call has made is copied out before it returns, so that all share it. */
const scratch = Buffer.allocUnsafeSlow(256 << 10);

/** Makes lines of Docker's json-file log out of one output stream, however it comes in chunks. */
export class LineEncoder {
  readonly #stream: OutputStream;
  readonly #attrs: string;
  readonly #sink: (lines: Buffer) => void;
  /** A line, or a piece of one, whose end has not come. */
  #begun: Buffer = Buffer.alloc(0);
  /** When the line that is being cut was cut first: all its pieces have this time. */
  #cutAt: bigint | undefined;

  /** @param sink gets whole lines of the log, in bytes of its own */
  constructor(stream: OutputStream, attrs: Readonly<Record<string, string>>, sink: (lines: Buffer) => void) {
    this.#stream = stream;
    this.#attrs = Object.keys(attrs).length === 0 ? "" : `,"attrs":${goJSONSorted(attrs)}`;
    this.#sink = sink;
  }

  /** @param chunk the caller's again when this returns @param timeNs when it was read */
  encode(chunk: Buffer, timeNs: bigint): void {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    let at = 0;
    for (let end = this.#next(bytes, at, timeNs); end > at; end = this.#next(bytes, at, timeNs)) {
      this.#write(bytes.subarray(at, end), this.#cutAt ?? timeNs);
      if (bytes[end - 1] === newline) this.#cutAt = undefined;
      at = end;
    }
    this.#begun = Buffer.from(bytes.subarray(at));
  }

  /** What of the line is not written yet whose end has not come. */
  get begun(): Buffer {
    return this.#begun;
  }

  /** The stream has ended: a line without an end is written as it is. */
  end(timeNs: bigint): void {
    if (this.#begun.length > 0) this.#write(this.#begun, this.#cutAt ?? timeNs);
    this.#begun = Buffer.alloc(0);
  }

  /**
   * Where what can be written next ends: as many whole lines as there are, or a piece of one that is too long.
   * @returns `at` when the rest has to wait
   */
  #next(bytes: Buffer, at: number, timeNs: bigint): number {
    if (this.#cutAt !== undefined) {
      const end = bytes.indexOf(newline, at);
      const size = (end < 0 ? bytes.length : end) - at;
      if (size >= pieceSize) return at + pieceSize;
      return end < 0 ? at : end + 1;
    }
    let end = at;
    while (end < bytes.length) {
      const found = bytes.lastIndexOf(newline, Math.min(end + pieceSize, bytes.length) - 1);
      if (found < end) break;
      end = found + 1;
    }
    if (end > at || bytes.length - at < pieceSize) return end;
    this.#cutAt = timeNs;
    return at + pieceSize;
  }

  /** @param bytes whole lines, or one without its newline */
  #write(bytes: Buffer, timeNs: bigint): void {
    const tail = `","stream":"${this.#stream}"${this.#attrs},"time":"${rfc3339(timeNs)}"}\n`;
    const between = Buffer.from(`\\n${tail}${head}`);
    const whole = bytes[bytes.length - 1] === newline;
    const end = whole ? bytes.length - 1 : bytes.length;
    const step = Math.ceil(scratch.length / 2 / Math.max(growth, between.length));
    const cursor: Cursor = { from: 0, into: scratch.write(head) };
    const made: Buffer[] = [];
    const keep = () => {
      made.push(Buffer.from(scratch.subarray(0, cursor.into)));
      cursor.into = 0;
    };
    while (cursor.from < end) {
      if (scratch.length - cursor.into < step * Math.max(growth, between.length) + growth) keep();
      escapeLines(scratch, bytes, cursor, { stop: Math.min(end, cursor.from + step), end, between });
    }
    keep();
    this.#sink(Buffer.concat([...made, Buffer.from(whole ? `\\n${tail}` : tail)]));
  }
}
