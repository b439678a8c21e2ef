import type { Mounted } from "../driver/index.js";
import type { RunConfig } from "../spec/index.js";
import type {
  ContainerCreateBody,
  ContainerCreated,
  ContainerInspect,
  ContainerSummary,
  ContainersPruned,
  FilesystemChange,
  PathStat,
} from "./api-container.js";
import type { Filters } from "./api-system.js";
import type { AbortOption } from "./images.js";

export interface ContainerCreateOptions extends AbortOption {
  readonly name?: string;
  /** Read-only mounts say nothing of what is mounted below them, as before API 1.44. */
  readonly flatReadOnly?: boolean;
}

/**
 * Operations on containers. A `name` is a full id, a name with or without its leading slash, or a unique prefix of an
 * id. Unknown ones reject with NotFound "No such container: NAME".
 */
export interface Containers {
  /**
   * Makes a container of an image, with its writable layer, ready to be started.
   *
   * @throws NotFound: no such image; InvalidParameter: empty config, bad name or value, no command;
   * Conflict: the name is taken
   */
  create(body: ContainerCreateBody, options?: ContainerCreateOptions): Promise<ContainerCreated>;
  /** Newest first; only running ones unless `all`, `limit` or a status filter. @throws InvalidParameter: bad filter */
  list(options?: ContainerListOptions): Promise<ContainerSummary[]>;
  inspect(name: string, options?: { readonly size?: boolean }): Promise<ContainerInspect>;
  /** @throws InvalidParameter: empty or malformed, or the name it has; Conflict: taken */
  rename(name: string, to: string): Promise<void>;
  /** @throws Conflict: running and not `force` */
  remove(name: string, options?: ContainerRemoveOptions): Promise<void>;
  /** Removes all that do not run. */
  prune(options?: { readonly filters?: Filters }): Promise<ContainersPruned>;

  /** What differs from the image, sorted by path; each directory above a difference as modified. */
  changes(name: string): Promise<FilesystemChange[]>;
  /** The merged tree as a tar. Resolves when it is mounted; the bytes come lazily, and unmount it at their end. */
  export(name: string, options?: AbortOption): Promise<AsyncIterable<Uint8Array>>;
  /** @throws InvalidParameter: no container named or bad change; NotFound */
  commit(name: string, options?: CommitOptions): Promise<{ readonly Id: string }>;

  /** What is at `path` in the container. @throws NotFound: "Could not find the file PATH in container NAME" */
  stat(name: string, path: string): Promise<PathStat>;
  /** The file or tree at `path` as a tar. Resolves when it is found; the bytes come lazily. @throws NotFound */
  archive(
    name: string,
    path: string,
    options?: AbortOption,
  ): Promise<{ stat: PathStat; body: AsyncIterable<Uint8Array> }>;
  /**
   * Writes a plain or compressed tar into directory `path`, confined to the container's root.
   *
   * @throws NotFound; InvalidParameter: not a directory, not a tar, a file where a directory is;
   * Forbidden: the root file system is read-only
   */
  extract(name: string, path: string, tar: AsyncIterable<Uint8Array>, options?: ExtractOptions): Promise<void>;

  /** The container's merged tree until disposed, read-write; all mounts of one container share one kernel mount. */
  mount(name: string): Promise<Mounted>;
}

export interface ContainerListOptions {
  readonly all?: boolean;
  /** At most so many, of all states; 0 and negative: no limit. */
  readonly limit?: number;
  /** Count `SizeRw` and `SizeRootFs`. */
  readonly size?: boolean;
  readonly filters?: Filters;
}

export interface ContainerRemoveOptions {
  readonly force?: boolean;
  /** With its anonymous volumes. */
  readonly volumes?: boolean;
  /** Remove the link of this name, not the container. */
  readonly link?: boolean;
}

export interface CommitOptions extends AbortOption {
  /** Familiar or full name, without tag. */
  readonly repo?: string;
  readonly tag?: string;
  /** A container that runs is frozen meanwhile, unless this is false. */
  readonly pause?: boolean;
  readonly comment?: string;
  readonly author?: string;
  /** Dockerfile lines, in order. */
  readonly changes?: readonly string[];
  /** Overrides the container's own config. */
  readonly config?: RunConfig;
}

export interface ExtractOptions extends AbortOption {
  /** Refuse to put a file in place of a directory, or a directory in place of a file. */
  readonly noOverwriteDirNonDir?: boolean;
  /** Give everything to the container's user. */
  readonly copyUIDGID?: boolean;
}
