import { addImage, type Image, platformText, relay, runsOn, thisPlatform } from "../../image/index.js";
import type { Repository } from "../../registry/index.js";
import {
  type ChainID,
  Conflict,
  type Credentials,
  Forbidden,
  familiarName,
  familiarString,
  type ImageID,
  type Manifest,
  type Platform,
  type Reference,
  Undo,
  withTag,
} from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import type { ImageParts } from "../image/parts.js";
import { bringLayers } from "./bring-layers.js";
import { choose, imageManifest } from "./choose.js";
import { ended, LayerMessages, pullingFrom, replaces, type Tell } from "./messages.js";
import { planned, type WantedLayer } from "./plan.js";

export interface PullRequest {
  /** With neither tag nor digest it means all tags of its repository. */
  readonly ref: Reference;
  /** This machine's when left out. */
  readonly platform?: Platform;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
}

/**
 * Fetches images; the work starts with the first read, and a reader who stops aborts it. Each image appears with its
 * tag and its digest, in one step, or not at all.
 *
 * @throws Forbidden, Conflict: a name that cannot be had; else as `Repository`, `choose`, `planned` and `bringLayers`
 */
export function pullImages(parts: ImageParts, request: PullRequest): AsyncGenerator<ProgressMessage> {
  const { signal } = request;
  return relay((tell, stop) => new Pull(parts, request, tell, stop).run(), { ...(signal && { signal }), replaces });
}

class Pull {
  readonly #parts: ImageParts;
  readonly #request: PullRequest;
  readonly #repository: Repository;
  readonly #tell: Tell;
  readonly #signal: AbortSignal;

  constructor(parts: ImageParts, request: PullRequest, tell: Tell, signal: AbortSignal) {
    this.#parts = parts;
    this.#request = request;
    this.#repository = parts.registries.repository(request.ref, request.credentials);
    this.#tell = tell;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { ref, platform } = this.#request;
    if (familiarName(ref) === "scratch") throw new Forbidden("'scratch' is a reserved name");
    const warnings: string[] = [];
    let newer = false;
    for (const each of await this.#wanted(ref)) {
      const { image, moved } = await this.#pull(each);
      newer ||= moved;
      if (platform) warnings.push(...mismatch(each, image, platform));
    }
    this.#tell(ended(familiarString(ref), newer));
    for (const status of warnings) this.#tell({ status });
    this.#announce(ref);
  }

  async #wanted(ref: Reference): Promise<Reference[]> {
    if (ref.tag !== undefined || ref.digest !== undefined) return [ref];
    return (await this.#repository.tags({ signal: this.#signal })).map((tag) => withTag(ref, tag));
  }

  /** @returns `moved`: the name meant another image before, or none */
  async #pull(ref: Reference): Promise<{ image: Image; moved: boolean }> {
    const { platform = thisPlatform } = this.#request;
    const signal = this.#signal;
    const resolved = await this.#repository.resolve(ref.digest ?? ref.tag ?? "latest", { signal });
    const single = imageManifest(resolved);
    this.#tell(pullingFrom(ref));
    const manifest = single ?? (await choose(resolved, this.#repository, { platform, signal }));
    const before = this.#parts.references.find(ref);
    const { digest } = resolved.descriptor;
    const image = await this.#bring(manifest, namesOf(ref, { domain: ref.domain, path: ref.path, digest }));
    this.#tell({ status: `Digest: ${digest}` });
    return { image, moved: before !== image.id };
  }

  async #bring(manifest: Manifest, names: Names): Promise<Image> {
    const id = manifest.config.digest as ImageID;
    this.#checkDigests(names, id);
    return (await this.#nameWhatIsThere(id, names)) ?? (await this.#fetch(manifest, names));
  }

  /** Before anything is fetched for it: a digest asked for names one image for ever. */
  #checkDigests({ tags, digests: [digest] }: Names, id: ImageID): void {
    const other = tags.length === 0 && digest && this.#parts.references.find(digest);
    if (!other || other === id) return;
    throw new Conflict(
      `Cannot overwrite digest ${digest.digest}: it names image ${other}, of another platform; remove that one first`,
    );
  }

  async #nameWhatIsThere(id: ImageID, { tags, digests }: Names): Promise<Image | undefined> {
    const { images, references } = this.#parts;
    return images.exclusive(async () => {
      const image = images.find(id);
      if (image) await references.addTags(tags, id, digests);
      return image;
    });
  }

  async #fetch(manifest: Manifest, names: Names): Promise<Image> {
    const { pulls } = this.#parts;
    const bringing = { repository: this.#repository, messages: new LayerMessages(this.#tell), signal: this.#signal };
    const { config, layers } = await planned(manifest, this.#repository, this.#signal);
    await using held = new Undo();
    const fetched = await bringLayers(pulls, layers, { ...bringing, held });
    const { image } = await addImage(this.#parts, { config, ...names });
    const ofImage = (chainID: ChainID) => layers.some((layer) => layer.chainID === chainID);
    // The image is there, whatever becomes of these: they save work later on.
    await Promise.allSettled([this.#remember(layers, fetched), pulls.kept.release(ofImage)]);
    return image;
  }

  /**
   * Notes what blobs are layers' own; a blob that was not read is believed only where it was read once. Those that are
   * not gzip are of no use: what is pushed says gzip of every layer.
   */
  async #remember(layers: readonly WantedLayer[], fetched: readonly WantedLayer[]): Promise<void> {
    const { distribution } = this.#parts;
    const { domain, path } = this.#repository.name;
    for (const layer of layers.filter(({ blob }) => blob.mediaType.endsWith("gzip"))) {
      const { diffID, blob } = layer;
      if (!fetched.includes(layer) && (await distribution.diffIDOf(blob.digest)) !== diffID) continue;
      await distribution.record(diffID, { digest: blob.digest, repository: `${domain}/${path}`, hmac: "" });
    }
  }

  #announce(ref: Reference): void {
    const { images, references, emit } = this.#parts;
    const id = references.find(ref);
    const labels = id && images.find(id)?.config.config?.Labels;
    emit("pull", familiarString(ref), { ...labels, name: familiarName(ref) });
  }
}

/** What a pulled image is called. */
interface Names {
  readonly tags: readonly Reference[];
  readonly digests: readonly Reference[];
}

function namesOf(ref: Reference, byDigest: Reference): Names {
  return { tags: ref.digest === undefined ? [ref] : [], digests: [byDigest] };
}

/** An image of one platform is taken for any; that is told. */
function mismatch(ref: Reference, { config }: Image, wanted: Platform): string[] {
  const { os = "linux", architecture = "", variant } = config;
  const actual = { os, architecture, ...(variant && { variant }) };
  if (runsOn(actual, wanted)) return [];
  return [
    `WARNING: image with reference ${familiarString(ref)} was found but does not match the specified platform: ` +
      `wanted ${platformText(wanted)}, actual: ${platformText(actual)}`,
  ];
}
