import { writeSync } from "node:fs";
import type { Meta } from "../../overlayfs/index.js";
import { DataLoss, type Path } from "../../spec/index.js";
import { close } from "../../sys/index.js";
import { applyToFile, type Owners } from "./apply-meta.js";
import { quoted } from "./entry-error.js";

/** A file on its way to disk: takes exactly the bytes it was said to have. */
export class WritingFile {
  readonly path: Path;
  readonly #fd: number;
  readonly #meta: Meta;
  readonly #size: number;
  #written = 0;

  /** @param fd open for writing; closed at the end */
  constructor(fd: number, path: Path, meta: Meta, size: number) {
    this.#fd = fd;
    this.path = path;
    this.#meta = meta;
    this.#size = size;
  }

  write(chunk: Uint8Array): void {
    if (this.#written + chunk.length > this.#size) {
      throw new DataLoss(`${quoted(this.path)}: has more data than the ${this.#size} bytes it was said to have`);
    }
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at, chunk.length - at);
    this.#written += chunk.length;
  }

  /** All data is there: sets the metadata and closes. */
  finish(owners: Owners): void {
    try {
      if (this.#written < this.#size) {
        throw new DataLoss(`${quoted(this.path)}: ends after ${this.#written} of ${this.#size} bytes`);
      }
      applyToFile(this.#fd, this.path, this.#meta, owners);
    } finally {
      close(this.#fd);
    }
  }

  abandon(): void {
    close(this.#fd);
  }
}
