import { InvalidParameter } from "../spec/index.js";
import { badEntry, shown } from "./bad-entry.js";
import { type PaxRecords, parsePax } from "./pax.js";
import { blockSize, checksumMatches, isZeroBlock, numberAt, paddingOf, textAt } from "./tar-header.js";
import type { TarMember, TarSink } from "./tar-member.js";
import { memberAt, typeOf } from "./tar-member-at.js";

/** Most bytes of one extended header or long name; xattrs of one file are bounded by it. Go's limit is the same. */
const maxExtended = 1 << 20;

/** What the next bytes are: `last`: one zero block was read; `tail`: two were. */
type State = "header" | "extended" | "content" | "padding" | "last" | "tail";

/**
 * Reads a tar archive that is pushed in pieces of any size: v7, ustar, PAX, GNU, star. Calls `sink` before `write`
 * returns; holds at most one header and a few extended headers of 1 MiB between calls.
 *
 * Both checksum forms are accepted and verified. Sizes are those of the PAX record where there is one. PAX global
 * headers are checked for form, and ignored as Docker does. Refused with one line that names the member: sparse
 * files, unknown types, numbers that do not fit, extended headers beyond 1 MiB, archives that end inside a header or
 * content. Missing end blocks, one end block, and anything behind two are accepted.
 */
export class TarParser {
  readonly #sink: TarSink;
  #state: State = "header";
  /** Bytes of the archive before the chunk being read. */
  #before = 0;
  /** Offset in that chunk of what has not been handed out. */
  #raw = 0;
  /** Bytes of extended header, content or padding still to come. */
  #left = 0;
  /** Padding that follows when `#left` is used up. */
  #pad = 0;
  /** A header block in pieces. */
  readonly #block = Buffer.alloc(blockSize);
  #held = 0;
  /** The extended header being read, and its type. */
  #extended = Buffer.alloc(0);
  #extendedType = "";
  /** What extended headers said about the member to come. */
  #pax: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  /** Of the entry read last, for messages. */
  #name = "";

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws InvalidParameter: not a tar archive, or one we do not take; the parser is not used afterwards */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#raw = 0;
    for (let at = 0; at < bytes.length; ) at = this.#step(bytes, at);
    this.#endRaw(bytes, bytes.length);
    this.#before += bytes.length;
  }

  /** The archive has ended. @throws InvalidParameter: in the middle of something */
  end(): void {
    const at = `at byte ${this.#before}`;
    if (this.#held > 0) throw new InvalidParameter(`archive truncated: it ends inside a header block, ${at}`);
    if (this.#state === "content") throw this.#bad(`archive truncated: ${this.#left} bytes of content missing, ${at}`);
    if (this.#state === "extended" || this.#pax || this.#longName !== undefined || this.#longLink !== undefined) {
      throw new InvalidParameter(`archive truncated: it ends after an extended header without its entry, ${at}`);
    }
  }

  /** Reads on at `at`. @returns offset of what has not been read yet */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "header":
      case "last":
        return this.#readBlock(bytes, at);
      case "tail":
        return bytes.length;
    }
    const end = Math.min(at + this.#left, bytes.length);
    if (this.#state === "content") {
      this.#sink.data(bytes.subarray(at, end));
      this.#raw = end;
    } else if (this.#state === "extended") {
      bytes.copy(this.#extended, this.#extended.length - this.#left, at, end);
    }
    this.#used(end - at);
    return end;
  }

  /** A header block: where it lies, or out of its pieces. */
  #readBlock(bytes: Buffer, at: number): number {
    if (this.#held === 0 && at + blockSize <= bytes.length) {
      this.#take(this.#header(bytes, at, at + blockSize), bytes, at + blockSize);
      return at + blockSize;
    }
    const taken = bytes.copy(this.#block, this.#held, at, at + blockSize - this.#held);
    this.#held += taken;
    if (this.#held < blockSize) return at + taken;
    this.#held = 0;
    this.#take(this.#header(this.#block, 0, at + taken), bytes, at + taken);
    return at + taken;
  }

  /** @param end offset behind the member's header */
  #take(member: TarMember | undefined, bytes: Buffer, end: number): void {
    if (!member) return;
    this.#endRaw(bytes, end);
    this.#sink.member(member);
  }

  /** All up to `end` that was no content. */
  #endRaw(bytes: Buffer, end: number): void {
    if (this.#raw < end) this.#sink.raw?.(bytes, this.#raw, end);
    this.#raw = end;
  }

  /** @param end offset of the first byte behind the header in the chunk being read */
  #header(block: Buffer, at: number, end: number): TarMember | undefined {
    if (block[at] === 0 && isZeroBlock(block, at)) {
      this.#state = this.#state === "last" ? "tail" : "last";
      return;
    }
    const offset = this.#before + end;
    if (this.#state === "last") throw this.#notTar("an entry after a zero block", offset);
    if (!checksumMatches(block, at)) throw this.#notTar("not a tar header: wrong checksum", offset);
    this.#name = this.#longName ?? this.#pax?.path ?? textAt(block, at, 100);
    const type = typeOf(block, at);
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      this.#begin(type, block, at);
      return;
    }
    const member = memberAt(block, at, { pax: this.#pax, name: this.#longName, linkname: this.#longLink }, offset);
    if (typeof member === "string") throw this.#bad(member);
    this.#name = member.name;
    this.#pax = this.#longName = this.#longLink = undefined;
    this.#go("content", member.size, paddingOf(member.size));
    return member;
  }

  #begin(type: string, block: Buffer, at: number): void {
    const size = numberAt(block, at + 124, 12);
    if (!(size >= 0)) throw this.#bad("size of extended header is not a number");
    if (size > maxExtended) throw this.#bad(`extended header of ${size} bytes: the limit is ${maxExtended}`);
    this.#extended = Buffer.allocUnsafe(size);
    this.#extendedType = type;
    this.#go("extended", size, paddingOf(size));
  }

  /** `#left` bytes come in this state; what is empty is passed over at once. */
  #go(state: State, left: number, pad: number): void {
    this.#state = state;
    this.#left = left;
    this.#pad = pad;
    if (left === 0) this.#used(0);
  }

  #used(bytes: number): void {
    this.#left -= bytes;
    if (this.#left > 0) return;
    if (this.#state === "extended") this.#takeExtended();
    this.#state = "header";
    if (this.#pad > 0) this.#go("padding", this.#pad, 0);
  }

  #takeExtended(): void {
    const type = this.#extendedType;
    const data = this.#extended;
    this.#extended = Buffer.alloc(0);
    if (type === "L") this.#longName = textAt(data, 0, data.length);
    else if (type === "K") this.#longLink = textAt(data, 0, data.length);
    else {
      const records = parsePax(data);
      if (typeof records === "string") throw this.#bad(records);
      if (type === "g") return;
      if (this.#pax) throw this.#bad("two extended headers for one entry");
      this.#pax = records;
    }
  }

  #bad(why: string): InvalidParameter {
    return badEntry(this.#name, why);
  }

  #notTar(why: string, end: number): InvalidParameter {
    const after = this.#name === "" ? "" : `, after entry ${shown(this.#name)}`;
    return new InvalidParameter(`archive damaged: ${why} at byte ${end - blockSize}${after}`);
  }
}
