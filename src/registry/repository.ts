import {
  type Credentials,
  type Descriptor,
  type Digest,
  Forbidden,
  NotFound,
  parseDigest,
  type Reference,
  sha256,
  Unauthorized,
  verified,
} from "../spec/index.js";
import { download, numberIn } from "./download.js";
import type { Endpoint, EndpointRequest } from "./endpoint.js";
import type { Answer } from "./exchange.js";
import { locationOf } from "./follow.js";
import { fromElsewhere } from "./foreign.js";
import { acceptManifests, manifestIn, pullFailure, type Resolved } from "./manifest.js";
import { BlobPlaces } from "./mirrored.js";
import type { AbortOption, BlobOptions } from "./options.js";
import { Place } from "./place.js";
import type { Shared } from "./shared.js";
import { tagPageIn, tagsOf } from "./tags.js";
import { uploadKnown, uploadStream } from "./upload.js";

/** A repository: registry host, and name inside it. Any `Reference` is one. */
export type RepositoryName = Pick<Reference, "domain" | "path">;

export interface UploadOptions extends AbortOption {
  /** Known beforehand: the blob goes out in one request. */
  readonly blob?: { readonly digest: Digest; readonly size: number };
  /** Told before a part or all of it is sent again after a failure: why, and in how many milliseconds. */
  readonly onRetry?: (why: Error, delayMs: number) => void;
  /** Told how many bytes have gone out; less than before after a failure. */
  readonly onProgress?: (sent: number) => void;
}

export interface Uploaded {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * One repository, seen with one set of credentials. A request that fails for a passing reason (a cut connection, a
 * stall, 429, 5xx) is made again, up to the number of attempts, with growing pauses. Failures have Docker's words.
 *
 * All operations reject with Unauthorized (credentials are wanted, or refused), NotFound (nothing of that name, or
 * nothing that these credentials may see), Forbidden, Unavailable (the registry cannot be reached or fails) and DataLoss
 * (what it sent is not what it promised).
 */
export class Repository {
  readonly name: RepositoryName;
  readonly #shared: Shared;
  readonly #origin: Place;
  readonly #mirrors: readonly Place[];
  readonly #scopes: readonly string[];
  /** Uploads that the registry began where it would not mount: for the next blobs. */
  readonly #begun: URL[] = [];

  /** Use `Registries.repository`. */
  constructor(name: RepositoryName, shared: Shared, purpose: "pull" | "push", credentials?: Credentials) {
    this.name = name;
    this.#shared = shared;
    this.#origin = Place.ofHost(name.domain, shared, credentials);
    const mirrored = purpose === "pull" && name.domain === "docker.io";
    this.#mirrors = mirrored ? shared.mirrors.map((mirror) => Place.ofMirror(mirror, shared)) : [];
    this.#scopes = [`repository:${name.path}:${purpose === "pull" ? "pull" : "pull,push"}`];
  }

  /** Finds out whether the registry answers. The other operations do so as well, when it was not done. */
  async ping({ signal }: AbortOption = {}): Promise<void> {
    await this.#origin.reach({ signal });
  }

  /**
   * The manifest or index with a tag or digest. Its bytes hash to its digest, and to the one asked for.
   *
   * @throws NotFound "manifest for NAME not found: manifest unknown: manifest unknown"; DigestMismatch; DataLoss: more
   * than `largestManifest`; NotImplemented: a schema 1 manifest, or another media type
   */
  async resolve(tagOrDigest: string, { signal }: AbortOption = {}): Promise<Resolved> {
    const ref = this.#reference(tagOrDigest);
    const request = this.#request("GET", `manifests/${tagOrDigest}`, signal);
    try {
      return await this.#anywhere(signal, (endpoint) =>
        endpoint.read({ ...request, headers: acceptManifests }, (answer) => manifestIn(answer, ref)),
      );
    } catch (error) {
      throw pullFailure(error, ref);
    }
  }

  /**
   * The bytes of a blob, lazily, in pieces as they arrive. A download that is cut goes on where it ended. Whoever
   * reaches the end has had exactly what the descriptor promises. Stopping early ends the download.
   *
   * A blob the registry does not have is fetched from the descriptor's `urls`, if any (foreign layers).
   *
   * @throws DigestMismatch, DataLoss: at the end, other bytes; NotFound: no such blob; BadMirror: see `pastBadMirrors`
   */
  blob(blob: Descriptor, options: BlobOptions = {}): AsyncIterable<Uint8Array> {
    const places = new BlobPlaces(options.mirrors === false ? [] : this.#mirrors, this.#origin);
    const open = (offset: number) => this.#open(blob, offset, places, options.signal);
    return places.guarded(verified(download(this.#shared, blob, open, options), blob, `blob ${blob.digest}`), options);
  }

  /** Whether others are asked before the registry itself. */
  get isMirrored(): boolean {
    return this.#mirrors.length > 0;
  }

  async #open(blob: Descriptor, offset: number, places: BlobPlaces, signal: AbortSignal | undefined): Promise<Answer> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const request = this.#request("GET", `blobs/${blob.digest}`, signal);
    try {
      return await places.ask((endpoint) => endpoint.once({ ...request, headers }), { signal });
    } catch (error) {
      if (!(error instanceof NotFound) || blob.urls === undefined) throw error;
      return await fromElsewhere(this.#shared, blob.urls, { method: "GET", headers, signal });
    }
  }

  /** Bytes of a blob that is there; undefined when it is not, or the registry does not tell. */
  async sizeOf(digest: Digest, { signal }: AbortOption = {}): Promise<number | undefined> {
    try {
      const endpoint = await this.#origin.reach({ signal });
      const answer = await endpoint.request(this.#request("HEAD", `blobs/${digest}`, signal));
      await answer.discard();
      return numberIn(answer.header("content-length"));
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  /** Takes a blob over from another repository of the same registry. @returns false when the registry would not */
  async mount(digest: Digest, from: string, { signal }: AbortOption = {}): Promise<boolean> {
    const query = new URLSearchParams({ mount: digest, from });
    const request = this.#request("POST", `blobs/uploads/?${query}`, signal);
    const scopes = [...request.scopes, `repository:${from}:pull`];
    try {
      const endpoint = await this.#origin.reach({ signal });
      const answer = await endpoint.request({ ...request, scopes, headers: { "content-length": "0" } });
      await answer.discard();
      const begun = answer.status === 201 ? undefined : locationOf(answer);
      if (begun) this.#begun.push(begun);
      return answer.status === 201;
    } catch (error) {
      if (error instanceof Unauthorized || error instanceof NotFound || error instanceof Forbidden) return false;
      throw error;
    }
  }

  /**
   * Brings a blob. Without `options.blob` it is hashed and counted on its way, and goes out in a stream.
   *
   * @param open gives the blob's bytes from the start, the same ones each time: once more after each failure
   */
  async upload(open: () => AsyncIterable<Uint8Array>, options: UploadOptions = {}): Promise<Uploaded> {
    const { signal, onProgress, onRetry, blob } = options;
    const endpoint = await this.#origin.reach(options);
    const common = { endpoint, shared: this.#shared, path: this.name.path, scopes: this.#scopes, begun: this.#begun };
    const upload = { ...common, open, signal, onProgress, onRetry };
    return await (blob ? uploadKnown(upload, blob) : uploadStream(upload));
  }

  /** Stores a manifest or index whose blobs are all there. @returns its digest */
  async putManifest(
    tagOrDigest: string,
    mediaType: string,
    bytes: Uint8Array,
    { signal }: AbortOption = {},
  ): Promise<Digest> {
    const endpoint = await this.#origin.reach({ signal });
    const answer = await endpoint.request({
      ...this.#request("PUT", `manifests/${tagOrDigest}`, signal),
      ...{ headers: { "content-type": mediaType }, body: () => bytes },
    });
    await answer.discard();
    return sha256(bytes);
  }

  /** All tags, in the registry's order. @throws NotFound: no such repository */
  async tags({ signal }: AbortOption = {}): Promise<string[]> {
    const first = this.#request("GET", "tags/list", signal);
    try {
      return await this.#anywhere(signal, (endpoint) =>
        tagsOf(String(first.to), (page) => endpoint.read({ ...first, to: page }, tagPageIn)),
      );
    } catch (error) {
      throw pullFailure(error, this.#reference(""));
    }
  }

  #request(method: EndpointRequest["method"], path: string, signal: AbortSignal | undefined): EndpointRequest {
    return { method, to: `v2/${this.name.path}/${path}`, scopes: this.#scopes, signal };
  }

  #reference(tagOrDigest: string): Reference {
    const { domain, path } = this.name;
    if (tagOrDigest.includes(":")) return { domain, path, digest: parseDigest(tagOrDigest) };
    return { domain, path, ...(tagOrDigest !== "" && { tag: tagOrDigest }) };
  }

  /** Asks the mirrors in turn, and then the origin, whose failure is the one that is told. */
  async #anywhere<T>(signal: AbortSignal | undefined, ask: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    const options = { signal };
    for (const mirror of this.#mirrors) {
      try {
        return await ask(await mirror.reach(options));
      } catch {
        signal?.throwIfAborted();
      }
    }
    return await ask(await this.#origin.reach(options));
  }
}
