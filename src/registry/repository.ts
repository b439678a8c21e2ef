import { type Credentials, type Descriptor, type Digest, NotImplemented, type Reference } from "../spec/index.js";
import type { AbortOption, RegistriesOptions } from "./options.js";

/** A repository: registry host, and name inside it. Any `Reference` is one. */
export type RepositoryName = Pick<Reference, "domain" | "path">;

export interface BlobOptions extends AbortOption {
  /** Told before the download goes on after a failure: why, at which byte, and in how many milliseconds. */
  readonly onRetry?: (why: Error, offset: number, delayMs: number) => void;
}

/** A manifest or an index, whole, as the registry has it. */
export interface Resolved {
  /** `size` and `digest` are those of `bytes`; `mediaType` is one of the four that `spec` names. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface UploadOptions extends AbortOption {
  /** Known beforehand: the blob goes out in one request. */
  readonly blob?: { readonly digest: Digest; readonly size: number };
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
 * nothing that these credentials may see), Unavailable (the registry cannot be reached or fails) and DataLoss (what it
 * sent is not what it promised).
 */
export class Repository {
  readonly name: RepositoryName;

  constructor(name: RepositoryName, _options: RegistriesOptions, _credentials?: Credentials) {
    this.name = name;
  }

  /**
   * The manifest or index with a tag or digest. Its bytes hash to its digest, and to the one asked for.
   *
   * @throws NotFound "manifest for NAME not found: manifest unknown: manifest unknown"; DigestMismatch; DataLoss: more
   * than `largestManifest`; NotImplemented: a schema 1 manifest, or another media type
   */
  async resolve(_tagOrDigest: string, _options?: AbortOption): Promise<Resolved> {
    throw new NotImplemented("resolve");
  }

  /**
   * The bytes of a blob, lazily, in pieces as they arrive. A download that is cut goes on where it ended. Whoever
   * reaches the end has had exactly what the descriptor promises. Stopping early ends the download.
   *
   * A blob the registry does not have is fetched from the descriptor's `urls`, if any (foreign layers).
   *
   * @throws DigestMismatch, DataLoss: at the end, other bytes; NotFound: no such blob
   */
  blob(_descriptor: Descriptor, _options?: BlobOptions): AsyncIterable<Uint8Array> {
    throw new NotImplemented("blob");
  }

  /** Bytes of a blob that is there; undefined when it is not. */
  async sizeOf(_digest: Digest, _options?: AbortOption): Promise<number | undefined> {
    throw new NotImplemented("sizeOf");
  }

  /** Takes a blob over from another repository of the same registry. @returns false when the registry would not */
  async mount(_digest: Digest, _from: string, _options?: AbortOption): Promise<boolean> {
    throw new NotImplemented("mount");
  }

  /**
   * Brings a blob. Without `options.blob` it is hashed and counted on its way, and goes out in a stream.
   *
   * @param open gives the blob's bytes from the start, the same ones each time: once more after each failure
   */
  async upload(_open: () => AsyncIterable<Uint8Array>, _options?: UploadOptions): Promise<Uploaded> {
    throw new NotImplemented("upload");
  }

  /** Stores a manifest or index whose blobs are all there. @returns its digest, as the registry has it too */
  async putManifest(
    _tagOrDigest: string,
    _mediaType: string,
    _bytes: Uint8Array,
    _options?: AbortOption,
  ): Promise<Digest> {
    throw new NotImplemented("putManifest");
  }

  /** All tags, in the registry's order. @throws NotFound: no such repository */
  async tags(_options?: AbortOption): Promise<string[]> {
    throw new NotImplemented("tags");
  }
}
