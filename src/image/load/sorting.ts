import { compressionOf, isTarHeader, Peeked, type TarEntry } from "../../archive/index.js";
import { baseOf, type ChainID, cleanPath, Undo } from "../../spec/index.js";
import { EarlyLayer } from "./early-layer.js";
import { KnownLayers } from "./known-layers.js";
import type { Place, Spool } from "./spool.js";
import type { LoadTargets } from "./targets.js";
import { paced, type Telling } from "./telling.js";

/** Where a file's content is, after the archive has gone by. */
export type Content =
  | { readonly kind: "kept"; readonly place: Place }
  /** It looked like a layer. */
  | { readonly kind: "unpacked"; readonly layer: EarlyLayer }
  /** It was passed over: by its name it is this layer. */
  | { readonly kind: "known"; readonly chainID: ChainID };

/** So many layers are unpacked early; images have 125 at most. */
const mostEarly = 1000;
/** Of a tar, the first header. */
const headLength = 512;

/**
 * Decides where each file of an archive goes, one after the other as they come by. What looks like a layer is unpacked
 * at the pace of the archive, unless the store has it, by all appearance, or cannot unpack a layer before those below it.
 * All else is kept. Disposing gives up what was not placed.
 */
export class Sorting implements AsyncDisposable {
  readonly contents = new Map<number, Content>();
  readonly #targets: LoadTargets;
  readonly #known: KnownLayers;
  readonly #spool: Spool;
  readonly #telling: Telling;
  readonly #undo = new Undo();
  #early = 0;

  constructor(targets: LoadTargets, spool: Spool, telling: Telling) {
    this.#targets = targets;
    this.#known = new KnownLayers(targets);
    this.#spool = spool;
    this.#telling = telling;
  }

  async take(file: TarEntry): Promise<void> {
    const body = new Peeked(file.body, undefined);
    await body.peek(headLength);
    const layer = looksLikeLayer(body.first) && ((await this.#passed(file)) ?? (await this.#unpacked(file, body)));
    this.contents.set(file.offset, layer || (await this.#kept(body)));
  }

  async #passed({ name }: TarEntry): Promise<Content | undefined> {
    const { layers } = this.#targets;
    const chainID = await this.#known.named(name);
    if (!chainID || !layers.find(chainID)) return undefined;
    layers.acquire(chainID);
    this.#undo.defer(() => layers.release(chainID));
    return { kind: "known", chainID };
  }

  async #unpacked({ name, size }: TarEntry, body: Peeked): Promise<Content | undefined> {
    const { layers } = this.#targets;
    if (!layers.canUnpack || this.#early === mostEarly) return undefined;
    if (isTarHeader(body.first) && (await this.#known.haveOneOf(size))) return undefined;
    this.#early++;
    const onBytes = paced(this.#telling, idOf(name), size);
    const layer = await EarlyLayer.read(body, body.first, { layers, signal: this.#telling.signal, onBytes });
    this.#undo.defer(() => layer[Symbol.asyncDispose]());
    return { kind: "unpacked", layer };
  }

  async #kept(body: Peeked): Promise<Content> {
    return { kind: "kept", place: await this.#spool.keep(body) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo[Symbol.asyncDispose]();
  }
}

function looksLikeLayer(first: Uint8Array): boolean {
  return compressionOf(first) !== "none" || isTarHeader(first);
}

/** How messages name a layer of which only the file is known: by the digest in the name, or the id of its directory. */
function idOf(name: string): string {
  return (/[0-9a-f]{64}/.exec(name)?.[0] ?? baseOf(cleanPath(name))).slice(0, 12);
}
