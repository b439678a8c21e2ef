import { DataLoss, decodeName, messageOf } from "../spec/index.js";
import { decompressed } from "./decompressed.js";
import type { TarSplitRecord } from "./tar-split-record.js";

/** Longest record taken, in bytes: Docker's and ours stay below 2 MiB. */
const maxRecord = 1 << 23;
/** So much becomes text at once: longer strings are large objects to V8, of which tens of megabytes gather. */
const textLength = 32 << 10;
/** Segments are seldom longer. */
const roomLength = 16 << 10;
const none = new Uint8Array(0);

/**
 * Reads the records of a tar-split file, compressed or not, written by us or by others.
 *
 * @throws DataLoss: truncated or malformed
 */
export async function* tarSplitRecords(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarSplitRecord> {
  const reader = new TarSplitReader();
  try {
    for await (const chunk of decompressed(bytes)) yield* reader.read(chunk);
  } catch (error) {
    throw error instanceof DataLoss ? error : new DataLoss(`tar-split damaged: ${messageOf(error)}`, { cause: error });
  }
  reader.end();
}

/** The same of uncompressed bytes, without waiting. */
export function* tarSplitRecordsSync(bytes: Iterable<Uint8Array>): Generator<TarSplitRecord> {
  const reader = new TarSplitReader();
  for (const chunk of bytes) yield* reader.read(chunk);
  reader.end();
}

/**
 * Reads tar-split that is pushed in pieces: JSON objects, one a line as Docker and we write them, or with any white
 * space between and inside.
 */
export class TarSplitReader {
  /** The beginning of an object, one character a byte. */
  #rest = "";
  #count = 0;
  readonly #room: Buffer | undefined;

  /** @param lends the payload of a segment is there only until the next record is asked for: all are made in one room */
  constructor(lends = false) {
    if (lends) this.#room = Buffer.allocUnsafeSlow(roomLength);
  }

  /** The records that end in `chunk`. @throws DataLoss: malformed */
  *read(chunk: Uint8Array): Generator<TarSplitRecord> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let from = 0; from < bytes.length; ) {
      // A long record doubles each time, so that it is not searched from its start over and over.
      const to = from + Math.max(textLength, this.#rest.length);
      const text = this.#rest + bytes.toString("latin1", from, to);
      from = to;
      let at = 0;
      for (;;) {
        at = this.#start(text, at);
        const end = objectEnd(text, at);
        if (end < 0) break;
        yield this.#record(text.slice(at, end));
        this.#count++;
        at = end;
      }
      this.#rest = text.slice(at);
      if (this.#rest.length > maxRecord) throw this.#bad("too long");
    }
  }

  /** The bytes have ended. @throws DataLoss: in the middle of a record */
  end(): void {
    if (this.#rest !== "") throw this.#bad("truncated");
  }

  /** Offset of the next object, or the end. */
  #start(text: string, at: number): number {
    let start = at;
    while (start < text.length && " \t\r\n".includes(text[start]!)) start++;
    if (start < text.length && text[start] !== "{") throw this.#bad("no JSON object");
    return start;
  }

  /** @param text of one object, one character a byte */
  #record(text: string): TarSplitRecord {
    const segment = '{"type":2,"payload":"';
    if (text.startsWith(segment)) {
      const payload = text.slice(segment.length, text.indexOf('"', segment.length));
      return { kind: "segment", payload: this.#bytes(payload, this.#room) };
    }
    let fields: Record<string, unknown> | null;
    try {
      fields = JSON.parse(isASCII(text) ? text : Buffer.from(text, "latin1").toString("utf8"));
    } catch (error) {
      throw this.#bad(messageOf(error));
    }
    return this.#fromFields(fields ?? {});
  }

  #fromFields({ type, name, name_raw, size, payload }: Record<string, unknown>): TarSplitRecord {
    const bytes = payload === undefined || payload === null ? none : this.#bytes(payload);
    if (type === 2) return { kind: "segment", payload: bytes };
    if (type !== 1) throw this.#bad(`unknown type ${JSON.stringify(type)}`);
    const isSize = size === undefined || (Number.isSafeInteger(size) && (size as number) >= 0);
    if (!isSize) throw this.#bad(`size ${JSON.stringify(size)}`);
    const text = name_raw === undefined ? (name ?? "") : decodeName(this.#bytes(name_raw));
    if (typeof text !== "string") throw this.#bad("name is not a string");
    return { kind: "file", name: text, size: (size as number | undefined) ?? 0, crc: bytes };
  }

  #bytes(base64: unknown, room?: Buffer): Buffer {
    if (typeof base64 !== "string") throw this.#bad("bytes that are not base64");
    const hasRoom = room && base64.length <= room.length;
    const bytes = hasRoom ? room.subarray(0, room.write(base64, "base64")) : Buffer.from(base64, "base64");
    // Buffer.from passes over what is no base64: then bytes are missing.
    const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
    if (bytes.length !== Math.floor(((base64.length - padding) * 3) / 4)) throw this.#bad("bytes that are not base64");
    return bytes;
  }

  #bad(why: string): DataLoss {
    return new DataLoss(`tar-split damaged: record ${this.#count}: ${why}`);
  }
}

/** @param text one character a byte */
function isASCII(text: string): boolean {
  return Buffer.byteLength(text, "utf8") === text.length;
}

/** Offset behind the flat JSON object that starts at `at`; -1 when it does not end in `text`. */
function objectEnd(text: string, at: number): number {
  let brace = text.indexOf("}", at);
  for (let i = at; brace >= 0; ) {
    const quote = text.indexOf('"', i);
    if (quote < 0 || brace < quote) return brace + 1;
    i = stringEnd(text, quote);
    if (i < 0) return -1;
    if (brace < i) brace = text.indexOf("}", i);
  }
  return -1;
}

/** Offset behind the JSON string whose opening quote is at `quote`; -1 when it does not end in `text`. */
function stringEnd(text: string, quote: number): number {
  for (let end = text.indexOf('"', quote + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return -1;
}
