import type { TarIndexEntry } from "../../archive/index.js";
import { InvalidParameter, messageOf } from "../../spec/index.js";
import { maxDocument, maxDocuments, maxImages } from "../limits.js";
import type { Spool } from "./spool.js";

/** The files of an image archive, by their paths in it. Links are followed inside the archive only. */
export class Archive {
  readonly #spool: Spool;
  #documents = 0;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  has(path: string): boolean {
    return this.#spool.index.file(path) !== undefined;
  }

  /** Names of directories at the top, sorted. */
  directories(): string[] {
    const tops = [...this.#spool.index.entries.keys()].filter((path) => path.includes("/"));
    return [...new Set(tops.map((path) => path.slice(0, path.indexOf("/"))))].sort();
  }

  /**
   * A file, its content read lazily.
   *
   * @param what says in the error what names it
   * @throws InvalidParameter: there is no such file
   */
  open(path: string, what: string): { readonly size: number; readonly body: AsyncIterable<Uint8Array> } {
    const entry = this.#entry(path, what);
    return { size: entry.size, body: this.#spool.read(entry) };
  }

  /** The content of a small file. @throws InvalidParameter: none, or too large for a document */
  async bytes(path: string, what: string): Promise<Buffer> {
    const entry = this.#entry(path, what);
    this.#documents += entry.size;
    if (entry.size > maxDocument || this.#documents > maxDocuments) {
      throw new InvalidParameter(`invalid archive: ${what} ${quoted(path)} is too large (${entry.size} bytes)`);
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#spool.read(entry)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** @throws InvalidParameter: no such file, too large, not JSON */
  async json(path: string, what: string): Promise<unknown> {
    return parseDocument(await this.bytes(path, what), `${what} ${quoted(path)}`);
  }

  #entry(path: string, what: string): TarIndexEntry {
    const entry = this.#spool.index.file(path);
    if (!entry) throw new InvalidParameter(`invalid archive: ${what} ${quoted(path)} is not in the archive`);
    return entry;
  }
}

/** @throws InvalidParameter: not JSON */
export function parseDocument(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new InvalidParameter(`invalid archive: ${what}: ${messageOf(error)}`, { cause: error });
  }
}

/** @param what images or names. @throws InvalidParameter: too many of them */
export function checkCount(count: number, what: string): void {
  if (count > maxImages) throw new InvalidParameter(`invalid archive: more than ${maxImages} ${what}`);
}

/** A name out of an archive, safe to print. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
