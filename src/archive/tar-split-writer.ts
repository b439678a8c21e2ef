import { encodeName, goString, isUTF8 } from "../spec/index.js";
import { Crc64 } from "./crc64.js";
import type { TarMember, TarSink } from "./tar-member.js";

/** A segment is closed at this size, so that garbage behind an archive is never held whole. */
const maxSegment = 1 << 18;
const pieceLength = 1 << 16;

/**
 * Writes tar-split: JSON lines, not yet compressed, from which and the files of the layer the archive can be rebuilt.
 * The sink of a `TarParser`, or part of one's; then comes `end`.
 * `out` gets pieces of about 64 KiB, each its own buffer; compress them with gzip (level 1 is enough) into
 * `tar-split.json.gz`. PAX global headers are part of a segment and no member of their own, so that two of them are
 * no duplicates to dockerd.
 *
 * @see docker-data-root.md 6.2
 */
export class TarSplitWriter implements TarSink {
  readonly #out: (chunk: Uint8Array<ArrayBuffer>) => void;
  readonly #crc = new Crc64();
  #lines = "";
  #position = 0;
  #segment = Buffer.allocUnsafe(4096);
  #held = 0;
  /** The file whose content is coming. */
  #name = "";
  #size = 0;
  #left = 0;

  constructor(out: (chunk: Uint8Array<ArrayBuffer>) => void) {
    this.#out = out;
  }

  /** Bytes `start` to `end` of `bytes` are archive bytes that are no file content. */
  raw(bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end; ) {
      const to = Math.min(end, from + maxSegment - this.#held);
      this.#reserve(this.#held + to - from);
      this.#held += bytes.copy(this.#segment, this.#held, from, to);
      from = to;
      if (this.#held === maxSegment) this.#endSegment();
    }
  }

  /** A member begins; its `size` bytes follow by `data`. */
  member({ name, size }: Pick<TarMember, "name" | "size">): void {
    this.#endSegment();
    if (size === 0) this.#line(`{"type":1,${nameFields(name)}"payload":null,"position":`);
    this.#name = name;
    this.#size = this.#left = size;
    this.#crc.reset();
  }

  /** Content of the file begun last; with the last byte its record is complete. */
  data(chunk: Uint8Array): void {
    this.#crc.update(chunk);
    this.#left -= chunk.length;
    if (this.#left > 0) return;
    const crc = this.#crc.digest().toString("base64");
    this.#line(`{"type":1,${nameFields(this.#name)}"size":${this.#size},"payload":"${crc}","position":`);
  }

  /** Hands the last piece to `out`. */
  end(): void {
    this.#endSegment();
    this.#flush();
  }

  #endSegment(): void {
    if (this.#held === 0) return;
    this.#line(`{"type":2,"payload":"${this.#segment.toString("base64", 0, this.#held)}","position":`);
    this.#held = 0;
  }

  #line(upToPosition: string): void {
    this.#lines += `${upToPosition}${this.#position++}}\n`;
    if (this.#lines.length >= pieceLength) this.#flush();
  }

  #flush(): void {
    if (this.#lines !== "") this.#out(Buffer.from(this.#lines, "utf8"));
    this.#lines = "";
  }

  #reserve(length: number): void {
    if (length <= this.#segment.length) return;
    const larger = Buffer.allocUnsafe(Math.min(maxSegment, 2 * length));
    this.#segment.copy(larger, 0, 0, this.#held);
    this.#segment = larger;
  }
}

function nameFields(name: string): string {
  if (name === "") return "";
  return isUTF8(name) ? `"name":${goString(name)},` : `"name_raw":"${encodeName(name).toString("base64")}",`;
}
