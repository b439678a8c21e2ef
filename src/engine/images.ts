import type { Credentials } from "../spec/index.js";
import type {
  DistributionInspect,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruned,
  ProgressMessage,
} from "./api-image.js";
import type { Filters } from "./api-system.js";

/**
 * Operations on images. A `name` is an id (`sha256:` and hex, bare hex, or a unique prefix of it) or a reference with
 * or without tag. Unknown ones reject with NotFound "No such image: NAME".
 */
export interface Images {
  /** Newest first. @throws InvalidParameter: unknown filter or bad value */
  list(options?: ImageListOptions): Promise<ImageSummary[]>;
  inspect(name: string): Promise<ImageInspect>;
  /** Newest step first. */
  history(name: string): Promise<ImageHistoryItem[]>;
  /** Takes in a docker archive or OCI layout, plain or compressed; lazily, as pulled. Failures are thrown. */
  load(archive: AsyncIterable<Uint8Array>, options?: LoadOptions): AsyncIterable<ProgressMessage>;
  /**
   * Fetches an image from its registry, `latest` without tag or digest; lazily, as pulled. What of it is there already
   * is not fetched. Failures are thrown, with Docker's words; layers that have come whole by then are kept for a day.
   */
  pull(name: string, options?: PullOptions): AsyncIterable<ProgressMessage>;
  /**
   * Brings an image to the registry it is named after; lazily, as pulled. Without tag all tags of the repository. What
   * the registry has already is not sent. Failures are thrown, with Docker's words.
   */
  push(name: string, options?: PushOptions): AsyncIterable<ProgressMessage>;
  /** What the registry has under a name, `latest` without tag or digest; nothing is kept of it. @throws as `pull` */
  distribution(name: string, options?: DistributionOptions): Promise<DistributionInspect>;
  /** A docker archive of these images. Resolves when all names are found; the bytes come lazily. */
  save(names: readonly string[], options?: AbortOption): Promise<AsyncIterable<Uint8Array>>;
  /** Makes an image of one layer from a plain or compressed tar; lazily, as pulled. Failures are thrown. */
  import(archive: AsyncIterable<Uint8Array>, options?: ImportOptions): AsyncIterable<ProgressMessage>;
  /** Gives `name` another name; takes it from whichever image had it. @throws NotFound; InvalidParameter */
  tag(name: string, repo: string, tag?: string): Promise<void>;
  /** Removes a name, and with its last name the image and all its layers that nothing else uses. @throws Conflict */
  remove(name: string, options?: ImageRemoveOptions): Promise<ImageDeleteItem[]>;
  prune(options?: { readonly filters?: Filters }): Promise<ImagesPruned>;
  /** Number of images, for `info`. */
  count(): number;
}

export interface AbortOption {
  readonly signal?: AbortSignal;
}

export interface ImageListOptions {
  /** Also the untagged parents of other images. */
  readonly all?: boolean;
  readonly filters?: Filters;
  readonly sharedSize?: boolean;
}

export interface LoadOptions extends AbortOption {
  /** No progress, only what was loaded. */
  readonly quiet?: boolean;
}

export interface ImportOptions extends AbortOption {
  /** May hold a tag. */
  readonly repo?: string;
  readonly tag?: string;
  /** "Imported from -" when absent. */
  readonly message?: string;
  /** Dockerfile lines. */
  readonly changes?: readonly string[];
  /** `os/arch[/variant]`. */
  readonly platform?: string;
}

export interface PullOptions extends AbortOption {
  /** A tag or digest, in place of what `name` has. */
  readonly tag?: string;
  /** All tags of the repository, where neither tag nor digest is given. */
  readonly all?: boolean;
  /** `os/arch[/variant]` of the image to choose; this machine's without it. */
  readonly platform?: string;
  readonly credentials?: Credentials;
}

export interface DistributionOptions extends AbortOption {
  readonly credentials?: Credentials;
}

export interface PushOptions extends AbortOption {
  /** In place of what `name` has. */
  readonly tag?: string;
  readonly credentials?: Credentials;
}

export interface ImageRemoveOptions {
  readonly force?: boolean;
  /** Keep untagged parents. */
  readonly noprune?: boolean;
}
