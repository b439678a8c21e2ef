import type { MountPoint } from "../../disk/index.js";
import type { ChainID, DiffID, ImageConfig, ImageID } from "../../spec/index.js";
import type { Fact, Node } from "./fact.js";

export const drivers = ["overlay2", "overlay", "vfs"] as const;
export type DriverName = (typeof drivers)[number];

/**
 * A data root as it lies there, for one storage driver: what each small file says, whether it makes sense or not. No
 * content of layers is in it. What is damaged is here as what it is; nothing is left out and nothing made up.
 */
export interface RootState {
  /** Absolute, without symlinks. */
  readonly root: string;
  readonly driver: DriverName;
  /** Drivers besides that the root has data of, by name. */
  readonly others: readonly DriverName[];
  /** Absolute path of the directory that has one directory a layer: `overlay2`, `overlay`, `vfs/dir`. */
  readonly home: string;
  /** All that lies in the home, `l` apart, by name. */
  readonly directories: ReadonlyMap<string, LayerDirectory>;
  /** `overlay2/l`, by name. */
  readonly links: ReadonlyMap<string, Link>;
  readonly layerdb: LayerDBState;
  readonly images: ImagesState;
  /** By the name of its directory in `containers`. */
  readonly containers: ReadonlyMap<string, ContainerState>;
  /** All that is mounted at the root or below it, deepest first. */
  readonly mounted: readonly MountPoint[];
  /** Paths of those mounts that processes in mount namespaces of their own see, as containers' do. */
  readonly inUse: ReadonlySet<string>;
  /** The root itself. */
  readonly node: Node;
  /** All that lies directly in the root, by name. */
  readonly top: ReadonlyMap<string, Node>;
  /** All that lies in `tmp`, by name. */
  readonly tmp: ReadonlyMap<string, Node>;
  /** Names in the home, and ChainIDs, that the database of dockerd's build cache speaks of. */
  readonly cached: ReadonlySet<string>;
  /** ChainIDs that layerkit keeps of interrupted pulls. */
  readonly kept: ReadonlySet<string>;
  /** The root is mounted on itself, as dockerd does it while it lives. */
  readonly isBoundOnItself: boolean;
  /** Files of other stores in the root that dockerd cannot open, as bolt databases. */
  readonly unreadable: readonly Unreadable[];
}

export interface Unreadable {
  /** Absolute. */
  readonly path: string;
  readonly problem: string;
}

/** A name in a driver's home, a layer's directory as a rule. */
export interface LayerDirectory {
  readonly node: Node;
  /** What is directly in it: `diff`, `link`, `work`, `merged`, `root`, `upper` … Of `vfs`, nothing. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** overlay2: its short name in `l`. */
  readonly link?: Fact;
  /** overlay2: the short names of those below, top first, `:` between. */
  readonly lower?: Fact;
  /** overlay: the layer below. */
  readonly lowerID?: Fact;
  /** Names directly in its tree (`diff`, `root`, `upper`) that an extraction makes for itself while it runs; read when asked for. */
  readonly left: readonly string[];
  /** It has no files as a writable layer; read when asked for. */
  readonly isEmpty: boolean;
}

export interface Link {
  readonly node: Node;
  /** As the symlink has it, `../ID/diff`; absent when it is none. */
  readonly target?: string;
}

export interface LayerDBState {
  /** Absolute path of `image/DRIVER/layerdb`. */
  readonly path: string;
  /** All that lies in `sha256`, by name: also what was being removed. */
  readonly layers: ReadonlyMap<string, LayerEntry>;
  /** All that lies in `mounts`, by name. */
  readonly mounts: ReadonlyMap<string, MountEntry>;
  /** Names in `tmp`. */
  readonly tmp: ReadonlyMap<string, Node>;
}

/** A directory in `layerdb/sha256`. What its facts say is read out beside them; absent where that makes no sense. */
export interface LayerEntry {
  readonly node: Node;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly facts: { readonly [name in "diff" | "size" | "cache-id" | "parent"]?: Fact };
  /** By its name; absent when that is no ChainID. */
  readonly chainID?: ChainID;
  readonly diffID?: DiffID;
  readonly parent?: ChainID;
  readonly cacheID?: string;
  readonly diffSize?: number;
}

/** A directory in `layerdb/mounts`. */
export interface MountEntry {
  readonly node: Node;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly facts: { readonly [name in "mount-id" | "init-id" | "parent"]?: Fact };
  readonly mountID?: string;
  readonly initID?: string;
  readonly parent?: ChainID;
}

export interface ImagesState {
  /** Absolute path of `image/DRIVER`. */
  readonly path: string;
  /** All that lies in `imagedb/content/sha256`, by name. */
  readonly contents: ReadonlyMap<string, ImageEntry>;
  /** All that lies in `imagedb/metadata/sha256`, by name, with what each has. */
  readonly metadata: ReadonlyMap<string, ImageMetadata>;
  readonly repositories: Repositories;
  /** All that lies directly in `image/DRIVER`, by name. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** Files in `distribution`, a cache, that are not what they should be, or half-written. */
  readonly distribution: readonly Unreadable[];
}

export interface ImageEntry {
  readonly node: Node;
  /** Absent when the name is none. */
  readonly id?: ImageID;
  /** Absent: see `problem`. */
  readonly config?: ImageConfig;
  /** Its whole stack of layers, bottom first. */
  readonly chain: readonly ChainID[];
  readonly problem?: string;
}

export interface ImageMetadata {
  readonly node: Node;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly parent?: Fact;
  readonly lastUpdated?: Fact;
}

/** `repositories.json`. */
export interface Repositories {
  /** Absolute. */
  readonly path: string;
  readonly fact?: Fact;
  /** `NAME:TAG` or `NAME@DIGEST` to what the file says it names; absent: see `problem`. */
  readonly references?: ReadonlyMap<string, string>;
  readonly problem?: string;
}

/** A directory in `containers`. */
export interface ContainerState {
  readonly node: Node;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly configFact?: Fact;
  readonly hostConfigFact?: Fact;
  /** `config.v2.json`, as far as it is read here; absent: see `problem`. */
  readonly config?: ContainerConfig;
  readonly problem?: string;
}

export interface ContainerConfig {
  readonly ID?: string;
  /** With a `/` in front. */
  readonly Name?: string;
  readonly Driver?: string;
  /** ImageID. */
  readonly Image?: string;
  readonly Created?: string;
  readonly Config?: { readonly Image?: string; readonly Labels?: Readonly<Record<string, string>> | null } | null;
  readonly NetworkSettings?: object | null;
  readonly State?: { readonly Running?: boolean; readonly Pid?: number; readonly Dead?: boolean } | null;
  readonly MountPoints?: Readonly<Record<string, { readonly Type?: string; readonly Name?: string }>> | null;
}
