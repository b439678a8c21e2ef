import { type Image, relay } from "../../image/index.js";
import type { Layer } from "../../layer/index.js";
import type { Repository } from "../../registry/index.js";
import {
  type Credentials,
  type Descriptor,
  type DiffID,
  familiarName,
  familiarString,
  mediaTypes,
  NotFound,
  type Reference,
  shortID,
  Undo,
} from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import { eitherSignal } from "../either-signal.js";
import type { ImageParts } from "../image/parts.js";
import { replaces } from "../pull/messages.js";
import { manifestBytes } from "./manifest.js";
import { type LayerPush, pushLayer } from "./push-layer.js";
import { LayerSources } from "./sources.js";

export interface PushRequest {
  /** Without tag all tags of its repository are meant. */
  readonly ref: Reference;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
}

/**
 * Brings images to their registry; the work starts with the first read, and a reader who stops aborts it.
 *
 * @throws NotFound: no such image, or tag; else as `Repository`
 */
export function pushImages(parts: ImageParts, request: PushRequest): AsyncGenerator<ProgressMessage> {
  const { signal } = request;
  return relay((tell, stop) => new Push(parts, request, tell, stop).run(), { ...(signal && { signal }), replaces });
}

class Push {
  readonly #parts: ImageParts;
  readonly #ref: Reference;
  readonly #repository: Repository;
  readonly #sources: LayerSources;
  readonly #tell: (message: ProgressMessage) => void;
  readonly #signal: AbortSignal;
  /** What has been brought already: of several tags, or of one image that has a layer twice. */
  readonly #brought = new Map<DiffID, Promise<Descriptor>>();

  constructor(parts: ImageParts, request: PushRequest, tell: (message: ProgressMessage) => void, signal: AbortSignal) {
    const { ref, credentials } = request;
    this.#parts = parts;
    this.#ref = ref;
    this.#repository = parts.registries.repository(ref, credentials, "push");
    this.#sources = new LayerSources(ref, credentials);
    this.#tell = tell;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { domain, path } = this.#ref;
    this.#tell({ status: `The push refers to repository [${domain}/${path}]` });
    for (const ref of await this.#wanted()) await this.#push(ref);
    this.#parts.emit("push", familiarString(this.#ref), { name: familiarName(this.#ref) });
  }

  async #wanted(): Promise<Reference[]> {
    const there = this.#parts.references.inRepository(this.#ref).map(({ ref }) => ref);
    if (there.length === 0) {
      throw new NotFound(`An image does not exist locally with the tag: ${familiarName(this.#ref)}`);
    }
    await this.#repository.ping({ signal: this.#signal });
    const { tag } = this.#ref;
    const wanted = there.filter((ref) => ref.tag !== undefined && (tag === undefined || ref.tag === tag));
    if (tag !== undefined && wanted.length === 0) {
      throw new NotFound(`tag does not exist: ${familiarString(this.#ref)}`);
    }
    return wanted;
  }

  async #push(ref: Reference): Promise<void> {
    const { images, references } = this.#parts;
    const { tag = "" } = ref;
    const image = images.get(references.get(ref));
    await using held = new Undo();
    const layers = this.#layersOf(image, held);
    const config = await images.config(image.id);
    const blobs = await this.#bring(layers);
    const descriptor = { mediaType: mediaTypes.dockerConfig, digest: image.id, size: config.length };
    await this.#bringConfig(descriptor, config);
    const manifest = manifestBytes(descriptor, blobs);
    const digest = await this.#repository.putManifest(tag, mediaTypes.dockerManifest, manifest, {
      signal: this.#signal,
    });
    await this.#remember(image, { domain: ref.domain, path: ref.path, digest });
    this.#tell({ status: `${tag}: digest: ${digest} size: ${manifest.length}` });
    this.#tell({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: manifest.length } });
  }

  /** Under which digest the registry has it; somebody may have removed the image meanwhile. */
  async #remember({ id }: Image, byDigest: Reference): Promise<void> {
    const { images, references } = this.#parts;
    await images.exclusive(async () => {
      if (images.find(id)) await references.addTags([], id, [byDigest]);
    });
  }

  /** Topmost first; held until `held` ends. */
  #layersOf({ topLayer }: Image, held: Undo): Layer[] {
    const { layers } = this.#parts;
    if (topLayer === undefined) return [];
    layers.acquire(topLayer);
    held.defer(() => layers.release(topLayer));
    return layers.chain(topLayer);
  }

  /**
   * All at the same time, as far as there are slots.
   *
   * @param layers topmost first
   * @returns blobs, bottom first
   */
  async #bring(layers: readonly Layer[]): Promise<Descriptor[]> {
    const failed = new AbortController();
    const signal = eitherSignal(this.#signal, failed.signal);
    for (const { diffID } of layers) this.#tellOf(diffID, "Preparing");
    const bringing = layers.map((layer) => this.#once(layer, signal));
    try {
      return (await Promise.all(bringing)).toReversed();
    } catch (error) {
      failed.abort(error);
      await Promise.allSettled(bringing);
      throw error;
    }
  }

  /** A layer that the image has twice, or that another tag brought, is brought once. */
  #once(layer: Layer, signal: AbortSignal): Promise<Descriptor> {
    const known = this.#brought.get(layer.diffID);
    if (known) return known.then((blob) => this.#again(layer, blob));
    const brought = this.#inTurn(layer, signal);
    this.#brought.set(layer.diffID, brought);
    return brought;
  }

  #again({ diffID }: Layer, blob: Descriptor): Descriptor {
    this.#tellOf(diffID, "Layer already exists");
    return blob;
  }

  /** Pushes of one layer to one repository wait for each other: who comes second finds it there. */
  async #inTurn(layer: Layer, signal: AbortSignal): Promise<Descriptor> {
    const { layers, distribution, pushes } = this.#parts;
    const { domain, path } = this.#ref;
    const tell: LayerPush["tell"] = (status, progress) => this.#tellOf(layer.diffID, status, progress);
    const common = { layers, distribution, repository: this.#repository, sources: this.#sources };
    const onWait = () => tell("Waiting");
    const push = () => pushLayer(layer, { ...common, signal, tell });
    return pushes.turns.alone(`${domain}/${path} ${layer.diffID}`, () => pushes.slots.run(push, { signal, onWait }));
  }

  async #bringConfig(config: Descriptor, bytes: Uint8Array): Promise<void> {
    const signal = this.#signal;
    if ((await this.#repository.sizeOf(config.digest, { signal })) !== undefined) return;
    await this.#repository.upload(() => once(bytes), { blob: config, signal });
  }

  #tellOf(diffID: DiffID, status: string, progressDetail: ProgressMessage["progressDetail"] = {}): void {
    this.#tell({ status, progressDetail, id: shortID(diffID) });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
