import { InvalidParameter, messageOf } from "../../spec/index.js";
import { maxDocument, maxDocuments, maxImages } from "../limits.js";
import type { Intake } from "./intake.js";
import type { Content } from "./sorting.js";

export interface ArchiveFile {
  /** In the archive: of a compressed file, bytes of it as it is. */
  readonly size: number;
  readonly content: Content;
}

/** The files of an image archive, by their paths in it. Links are followed inside the archive only. */
export class Archive {
  readonly #intake: Omit<Intake, keyof AsyncDisposable>;
  #documents = 0;

  constructor(intake: Omit<Intake, keyof AsyncDisposable>) {
    this.#intake = intake;
  }

  has(path: string): boolean {
    return this.#intake.index.file(path) !== undefined;
  }

  /** Names of directories at the top, sorted. */
  directories(): string[] {
    const tops = [...this.#intake.index.entries.keys()].filter((path) => path.includes("/"));
    return [...new Set(tops.map((path) => path.slice(0, path.indexOf("/"))))].sort();
  }

  /** @param what says in the error what names it. @throws InvalidParameter: there is no such file */
  find(path: string, what: string): ArchiveFile {
    const entry = this.#intake.index.file(path);
    if (!entry) throw new InvalidParameter(`invalid archive: ${what} ${quoted(path)} is not in the archive`);
    return { size: entry.size, content: this.#intake.contents.get(entry.offset)! };
  }

  /** The content of a small file. @throws InvalidParameter: none, or too large for a document */
  async bytes(path: string, what: string): Promise<Buffer> {
    const { size, content } = this.find(path, what);
    this.#documents += size;
    if (size > maxDocument || this.#documents > maxDocuments) {
      throw new InvalidParameter(`invalid archive: ${what} ${quoted(path)} is too large (${size} bytes)`);
    }
    if (content.kind !== "kept") throw new InvalidParameter(`invalid archive: ${what} ${quoted(path)} is a layer`);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#intake.spool.read(content.place)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** @throws InvalidParameter: no such file, too large, not JSON */
  async json(path: string, what: string): Promise<unknown> {
    return parseDocument(await this.bytes(path, what), `${what} ${quoted(path)}`);
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
