import { join } from "node:path";
import {
  type NameProof,
  type Offer,
  type RootState,
  repositoriesWith,
  type Source,
  type WantedLayer,
} from "../../doctor/index.js";
import { DistributionCache, platformText, thisPlatform } from "../../image/index.js";
import { Registries, type Repository } from "../../registry/index.js";
import {
  type Credentials,
  type Descriptor,
  type Digest,
  familiarString,
  hexOf,
  type ImageConfig,
  type ImageID,
  InvalidParameter,
  mediaTypes,
  messageOf,
  NotFound,
  type Platform,
  parseReference,
  platformIn,
  type Reference,
  Unavailable,
  withDefaultTag,
} from "../../spec/index.js";
import { choose, imageManifest } from "../pull/choose.js";
import { type PullPlan, planned, wholeBlob } from "../pull/plan.js";
import { checkedSettings, type RegistrySettings } from "../registry-settings.js";

export interface RegistrySourceOptions {
  readonly settings: RegistrySettings;
  /** What the user has for a registry, as a pull would use it. */
  readonly credentials: (domain: string) => Promise<Credentials | undefined>;
}

/**
 * The registries that a data root's images came from: as `distribution` remembers of each layer, else by the images'
 * names, of which a tag may mean something else by now. For `repair`; blobs are fetched when they are read.
 */
export function registrySource(options: RegistrySourceOptions): Source {
  return new RegistrySource(options);
}

class RegistrySource implements Source {
  readonly name = "the registry";
  readonly #registries: Registries;
  readonly #credentials: RegistrySourceOptions["credentials"];
  readonly #repositories = new Map<string, Repository>();

  constructor({ settings, credentials }: RegistrySourceOptions) {
    this.#registries = new Registries(checkedSettings(settings).registries);
    this.#credentials = credentials;
  }

  async *layers({ diffID, state }: WantedLayer): AsyncGenerator<Offer> {
    const failures = new Failures();
    for (const { digest, repository: name } of await rememberedBlobs(state, diffID)) {
      yield* failures.past(name, () => this.#remembered(name, digest));
    }
    for (const [id, ref] of namesOf(state, (config) => config?.rootfs.diff_ids.includes(diffID) ?? false)) {
      yield* failures.past(textOf(ref), async () => {
        const plan = await this.#plan(ref, state, id);
        const found = plan.layers.find((layer) => layer.diffID === diffID);
        return found ? offers(await this.#repository(ref), textOf(ref), found.blob) : [];
      });
    }
    failures.tell();
  }

  async *images(id: ImageID, state: RootState): AsyncGenerator<Uint8Array> {
    const failures = new Failures();
    for (const [named, ref] of namesOf(state)) {
      if (named === id) yield* failures.past(textOf(ref), () => this.#configs(id, ref, state));
    }
    failures.tell();
  }

  async *names(state: RootState, nameless: readonly ImageID[], signal?: AbortSignal): AsyncGenerator<NameProof> {
    const failures = new Failures();
    const wanted = new Map<string, ImageID[]>();
    for (const id of nameless) {
      for (const name of await repositoriesWith(state, id)) wanted.set(name, [...(wanted.get(name) ?? []), id]);
    }
    for (const [name, ids] of wanted) yield* failures.past(name, () => this.#tagsOf(name, ids, state, signal));
    failures.tell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registries[Symbol.asyncDispose]();
  }

  async #remembered(name: string, digest: Digest): Promise<Offer[]> {
    const repository = await this.#repository(parseReference(name));
    const size = await repository.sizeOf(digest);
    return size === undefined ? [] : offers(repository, name, { mediaType: mediaTypes.dockerLayerGzip, digest, size });
  }

  /** Which tags of a repository lead to these images now. */
  async #tagsOf(
    name: string,
    ids: readonly ImageID[],
    { images }: RootState,
    signal = new AbortController().signal,
  ): Promise<NameProof[]> {
    const { domain, path } = parseReference(name);
    const repository = await this.#repository({ domain, path });
    const tags = await repository.tags({ signal });
    if (tags.length > mostTags) throw new Unavailable(`it has ${tags.length} tags, which are too many to ask for each`);
    const platforms = new Map(ids.map((id) => [platformText(platformOf(images, id)), platformOf(images, id)]));
    const found: NameProof[] = [];
    for (const tag of tags) {
      const named = await this.#configsOf(tag, repository, [...platforms.values()], signal);
      const id = ids.find((each) => named.includes(each));
      if (id) found.push({ ref: familiarString({ domain, path, tag }), id, from: `as ${name} has it now` });
    }
    return found;
  }

  /** What a tag leads to for each platform; nothing where that is no image, or for other platforms. */
  async #configsOf(
    tag: string,
    repository: Repository,
    platforms: readonly Platform[],
    signal: AbortSignal,
  ): Promise<string[]> {
    const found: string[] = [];
    try {
      const resolved = await repository.resolve(tag, { signal });
      for (const platform of platforms) {
        const manifest = imageManifest(resolved) ?? (await choose(resolved, repository, { platform, signal }));
        found.push(manifest.config.digest);
      }
    } catch (error) {
      if (!(error instanceof NotFound || error instanceof InvalidParameter)) throw error;
    }
    return found;
  }

  /** By its own digest, which stays when the tag moves on. */
  async #configs(id: ImageID, ref: Reference, state: RootState): Promise<Uint8Array[]> {
    const repository = await this.#repository(ref);
    const size = await repository.sizeOf(id);
    const blob = { mediaType: mediaTypes.dockerConfig, digest: id, size: size ?? 0 };
    if (size !== undefined) return [await wholeBlob(blob, repository, new AbortController().signal)];
    return [Buffer.from((await this.#plan(ref, state, id)).config)];
  }

  async #plan(ref: Reference, state: RootState, id: ImageID): Promise<PullPlan> {
    const signal = new AbortController().signal;
    const repository = await this.#repository(ref);
    const { digest, tag = "latest" } = withDefaultTag(ref);
    const resolved = await repository.resolve(digest ?? tag, { signal });
    const platform = platformOf(state.images, id);
    const manifest = imageManifest(resolved) ?? (await choose(resolved, repository, { platform, signal }));
    return await planned(manifest, repository, signal);
  }

  async #repository({ domain, path }: Reference): Promise<Repository> {
    const name = `${domain}/${path}`;
    const known = this.#repositories.get(name);
    if (known) return known;
    const made = this.#registries.repository({ domain, path }, await this.#credentials(domain));
    this.#repositories.set(name, made);
    return made;
  }
}

/** Each costs a registry one request or two, which some count. */
const mostTags = 30;

function platformOf({ contents }: RootState["images"], id: ImageID): Platform {
  return platformIn(contents.get(hexOf(id))?.config) ?? thisPlatform;
}

/** What could not be asked; what others offer is not kept back by it. */
class Failures {
  readonly #told: string[] = [];

  async *past<T>(where: string, ask: () => Promise<readonly T[]>): AsyncGenerator<T> {
    try {
      yield* await ask();
    } catch (error) {
      this.#told.push(`${where}: ${messageOf(error)}`);
    }
  }

  /** @throws Unavailable: all of them */
  tell(): void {
    if (this.#told.length > 0) throw new Unavailable([...new Set(this.#told)].join("; "));
  }
}

/** A mirror's copy may be damaged: then the registry's own. */
function offers(repository: Repository, from: string, blob: Descriptor): Offer[] {
  const of = (mirrors: boolean): Offer => ({
    from,
    size: blob.size,
    open: (signal) => repository.blob(blob, { signal, mirrors }),
  });
  return repository.isMirrored ? [of(true), of(false)] : [of(false)];
}

/** The one seen last first. */
async function rememberedBlobs({ images }: RootState, diffID: WantedLayer["diffID"]) {
  return (await new DistributionCache(join(images.path, "distribution")).sourcesOf(diffID)).reverse();
}

/** Names of images, by digest first: of those in the list of names, and of those that containers were made by. */
function namesOf(
  state: RootState,
  which: (config: ImageConfig | undefined) => boolean = () => true,
): [ImageID, Reference][] {
  const listed: [string, string | undefined][] = [...(state.images.repositories.references ?? [])].map(([ref, id]) => [
    id,
    ref,
  ]);
  for (const { config } of state.containers.values()) {
    if (config?.Image !== undefined) listed.push([config.Image, config.Config?.Image]);
  }
  const found = listed.flatMap(([id, text]): [ImageID, Reference][] => {
    const config = state.images.contents.get(id.slice("sha256:".length))?.config;
    const ref = text === undefined ? undefined : parsed(text);
    return ref && which(config) ? [[id as ImageID, ref]] : [];
  });
  return found.sort(([, a], [, b]) => Number(b.digest !== undefined) - Number(a.digest !== undefined));
}

/** A container may have been made by an image's id. */
function parsed(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

function textOf({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${digest ? `@${digest}` : `:${tag ?? "latest"}`}`;
}
