import { type ArchiveContents, type OpenArchiveOptions, openArchive } from "../../../image/index.js";
import { familiarString, type ImageID, InvalidParameter, messageOf } from "../../../spec/index.js";
import type { NameProof } from "../../check/known/name-proofs.js";
import type { Offer, Source, WantedLayer } from "./source.js";

/** An archive of images, as `docker save` writes them, or with an OCI layout in it. */
export class ArchiveSource implements Source {
  readonly name: string;
  readonly #path: string;
  readonly #contents: ArchiveContents;

  /**
   * @param tmp a directory for what a compressed archive is unpacked to
   * @throws InvalidParameter: it is no archive of images
   */
  static async open(path: string, tmp: string, options: OpenArchiveOptions = {}): Promise<ArchiveSource> {
    try {
      return new ArchiveSource(path, await openArchive(path, tmp, options));
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new InvalidParameter(`${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  private constructor(path: string, contents: ArchiveContents) {
    this.name = `archive ${path}`;
    this.#path = path;
    this.#contents = contents;
  }

  async *layers({ diffID }: WantedLayer): AsyncGenerator<Offer> {
    const layer = this.#contents.layers.get(diffID);
    if (layer) yield { from: this.#path, size: layer.size(), open: () => layer.open() };
  }

  async *images(id: ImageID): AsyncGenerator<Uint8Array> {
    const config = this.#contents.images.get(id);
    if (config) yield config;
  }

  async *names(): AsyncGenerator<NameProof> {
    for (const [id, tags] of this.#contents.tags) {
      for (const tag of tags) yield { ref: familiarString(tag), id, from: `as ${this.name} has it` };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#contents[Symbol.asyncDispose]();
  }
}
