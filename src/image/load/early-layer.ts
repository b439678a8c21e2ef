import { compressionOf } from "../../archive/index.js";
import type { LayerStore, LooseLayer } from "../../layer/index.js";
import { type Digest, Digester } from "../../spec/index.js";
import { Lent } from "./lent.js";

export interface Unpacking {
  readonly layers: LayerStore;
  readonly signal: AbortSignal;
  readonly onBytes: (taken: number) => void;
}

/**
 * A file that was taken for a layer and unpacked while the archive was read, before anything said that it is one. It
 * may have failed; that is of interest only to who wants the layer.
 */
export class EarlyLayer implements AsyncDisposable {
  /** What the file hashes to. */
  readonly digest: Promise<Digest>;
  readonly #loose: Promise<LooseLayer>;
  #taken = false;

  /** @param begin the first bytes of `bytes`: whether it is compressed */
  static async read(bytes: AsyncIterable<Uint8Array>, begin: Uint8Array, unpacking: Unpacking): Promise<EarlyLayer> {
    const lent = new Lent(bytes);
    const early = new EarlyLayer(lent, compressionOf(begin) !== "none", unpacking);
    try {
      await lent.returned;
      return early;
    } catch (error) {
      await early[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(lent: Lent, isCompressed: boolean, { layers, signal, onBytes }: Unpacking) {
    const digester = isCompressed ? new Digester() : undefined;
    const stream = digester ? hashed(lent, digester) : lent;
    this.#loose = layers.unpack(stream, { signal, onBytes }).finally(() => lent.return());
    this.digest = this.#loose.then(({ diffID }) => digester?.digest() ?? diffID);
    this.digest.catch(() => undefined); // as that of the layer, told to who wants it
  }

  /** The layer, for the first who asks; it is the caller's. */
  take(): Promise<LooseLayer> | undefined {
    if (this.#taken) return undefined;
    this.#taken = true;
    return this.#loose;
  }

  /** The layer's tar, as long as the layer is there. */
  async *tar(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* (await this.#loose).tar({ signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const loose = await this.#loose.catch(() => undefined);
    await loose?.[Symbol.asyncDispose]();
  }
}

async function* hashed(bytes: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    digester.update(chunk);
    yield chunk;
  }
}
