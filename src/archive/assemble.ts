import { cleanPath, climbs, DataLoss, messageOf, NotFound, type Path } from "../spec/index.js";
import { Crc64 } from "./crc64.js";
import { Gather } from "./gather.js";
import { tarSplitRecords } from "./tar-split-reader.js";
import type { TarSplitRecord } from "./tar-split-record.js";

/**
 * Opens the content of a layer's file. The path is clean; symlinks in it must not lead out of the layer. What it
 * yields is not written to afterwards.
 */
export type OpenFile = (path: Path, size: number) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
/** The same, where each piece is there until the next one is asked for; so are then those of the archive. */
export type OpenFileSync = (path: Path, size: number) => Iterable<Uint8Array>;

type FileRecord = Extract<TarSplitRecord, { kind: "file" }>;

/**
 * Rebuilds a layer's archive, byte for byte, from its tar-split (compressed or not) and its files. A changed file is
 * found when the last of its bytes has been handed out; the digest of the whole is the caller's to verify.
 *
 * @throws DataLoss: tar-split damaged; a file is missing or is not as it was
 */
export async function* assemble(split: AsyncIterable<Uint8Array>, open: OpenFile): AsyncGenerator<Uint8Array> {
  const gather = new Gather();
  for await (const record of tarSplitRecords(split)) {
    if (record.kind === "segment") yield* gather.add(record.payload);
    else if (record.size > 0) {
      const check = new FileCheck(record);
      try {
        for await (const chunk of await open(check.path, record.size)) yield* gather.add(check.passed(chunk));
      } catch (error) {
        throw check.failure(error);
      }
      check.end();
    }
  }
  yield* gather.rest();
}

/**
 * The same without waiting, for a worker; each piece is there until the next is asked for.
 *
 * @param sumsMatter false: of the files only the lengths are compared, for who hashes the whole in any case
 */
export function* assembleSync(
  records: Iterable<TarSplitRecord>,
  open: OpenFileSync,
  sumsMatter = true,
): Generator<Uint8Array> {
  const gather = new Gather(true);
  for (const record of records) {
    if (record.kind === "segment") yield* gather.add(record.payload);
    else if (record.size > 0) {
      const check = new FileCheck(record, sumsMatter);
      try {
        for (const chunk of open(check.path, record.size)) yield* gather.add(check.passed(chunk));
      } catch (error) {
        throw check.failure(error);
      }
      check.end();
    }
  }
  yield* gather.rest();
}

/** Compares a file's content, as it passes, with what the tar-split says of it. */
class FileCheck {
  readonly path: Path;
  readonly #record: FileRecord;
  readonly #crc: Crc64 | undefined;
  #length = 0;

  constructor(record: FileRecord, sumMatters = true) {
    // Opened below the layer's directory by some openers: must not lead out of it.
    if (climbs(record.name)) throw new DataLoss(`tar-split names ${JSON.stringify(record.name)}, outside of the layer`);
    this.path = cleanPath(record.name);
    this.#record = record;
    if (sumMatters) this.#crc = new Crc64();
  }

  passed(chunk: Uint8Array): Uint8Array {
    this.#length += chunk.length;
    if (this.#length > this.#record.size) throw this.#mismatch(`longer than the ${this.#record.size} bytes it had`);
    this.#crc?.update(chunk);
    return chunk;
  }

  end(): void {
    const { size, crc } = this.#record;
    if (this.#length < size) throw this.#mismatch(`${this.#length} bytes instead of ${size}`);
    if (this.#crc && this.#crc.digest().compare(crc) !== 0) throw this.#mismatch("its content has changed");
  }

  /** What a failure of the opener is to the reader of the archive; an abort stays one. */
  failure(error: unknown): unknown {
    const isMissing = error instanceof NotFound || (error instanceof Error && "syscall" in error);
    if (!isMissing) return error;
    const what = `file ${JSON.stringify(this.#record.name)} of the layer cannot be read: ${messageOf(error)}`;
    return new DataLoss(what, { cause: error });
  }

  #mismatch(why: string): DataLoss {
    return new DataLoss(`file integrity checksum failed for ${JSON.stringify(this.#record.name)}: ${why}`);
  }
}
