import { goJSONSorted, rfc3339 } from "../../spec/index.js";
import { escapeInto, growth } from "./json-bytes.js";

/** Longer lines are cut into pieces of so many bytes, all but the last without `\n`. @see moby daemon/logger/copier.go */
export const pieceSize = 16_384;

export type OutputStream = "stdout" | "stderr";

const newline = 10;
const head = Buffer.from('{"log":"');
/** Room for the frame of one line around its text; `attrs` are added to it. */
const frameSize = 128;

/** Where lines are made; what a call has made is copied out before it returns, so that all encoders share it. */
const scratch = { bytes: Buffer.allocUnsafeSlow(384 << 10), used: 0 };

/** Makes lines of Docker's json-file log out of one output stream, however it comes in chunks. */
export class LineEncoder {
  readonly #stream: OutputStream;
  readonly #attrs: string;
  readonly #sink: (lines: Buffer) => void;
  /** A line whose end has not come. */
  #begun = Buffer.alloc(0);
  #begunSize = 0;
  /** Of the first piece of a line that is being cut: the others have the same. */
  #cutAt: bigint | undefined;

  /** @param sink gets whole lines, in bytes of its own */
  constructor(stream: OutputStream, attrs: Readonly<Record<string, string>>, sink: (lines: Buffer) => void) {
    this.#stream = stream;
    this.#attrs = Object.keys(attrs).length === 0 ? "" : `,"attrs":${goJSONSorted(attrs)}`;
    this.#sink = sink;
  }

  /** @param timeNs when it was read */
  encode(chunk: Uint8Array, timeNs: bigint): void {
    let tail = this.#tail(this.#cutAt ?? timeNs);
    for (let at = 0; at < chunk.length; ) {
      const found = chunk.indexOf(newline, at);
      const end = found < 0 ? chunk.length : found;
      const room = pieceSize - this.#begunSize;
      if (end - at >= room) {
        this.#line(chunk, at, at + room, tail, false);
        this.#cutAt ??= timeNs;
        at += room;
      } else if (found < 0) {
        this.#keep(chunk, at, end);
        at = end;
      } else {
        this.#line(chunk, at, end, tail, true);
        if (this.#cutAt !== undefined) {
          this.#cutAt = undefined;
          tail = this.#tail(timeNs);
        }
        at = end + 1;
      }
    }
    this.#give();
  }

  /** The stream has ended: a line without an end is written as it is. */
  end(timeNs: bigint): void {
    if (this.#begunSize === 0) return;
    this.#line(this.#begun, 0, 0, this.#tail(this.#cutAt ?? timeNs), false);
    this.#give();
  }

  /** What follows the text of a line. */
  #tail(timeNs: bigint): Buffer {
    return Buffer.from(`","stream":"${this.#stream}"${this.#attrs},"time":"${rfc3339(timeNs)}"}\n`);
  }

  /** What was begun and `from[start, end)` as one line of the log. */
  #line(from: Uint8Array, start: number, end: number, tail: Uint8Array, whole: boolean): void {
    if (scratch.used + pieceSize * growth + frameSize + tail.length > scratch.bytes.length) this.#give();
    scratch.bytes.set(head, scratch.used);
    scratch.used += head.length;
    if (this.#begunSize > 0) {
      // A character may be divided between them.
      this.#keep(from, start, end);
      scratch.used = escapeInto(scratch.bytes, scratch.used, this.#begun, 0, this.#begunSize);
      this.#begunSize = 0;
    } else {
      scratch.used = escapeInto(scratch.bytes, scratch.used, from, start, end);
    }
    if (whole) scratch.used += scratch.bytes.write("\\n", scratch.used, "latin1");
    scratch.bytes.set(tail, scratch.used);
    scratch.used += tail.length;
  }

  #keep(from: Uint8Array, start: number, end: number): void {
    const size = this.#begunSize + end - start;
    if (size > this.#begun.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(pieceSize, Math.max(256, size * 2)));
      larger.set(this.#begun.subarray(0, this.#begunSize));
      this.#begun = larger;
    }
    this.#begun.set(from.subarray(start, end), this.#begunSize);
    this.#begunSize = size;
  }

  #give(): void {
    if (scratch.used === 0) return;
    const lines = Buffer.allocUnsafeSlow(scratch.used);
    lines.set(scratch.bytes.subarray(0, scratch.used));
    scratch.used = 0;
    this.#sink(lines);
  }
}
