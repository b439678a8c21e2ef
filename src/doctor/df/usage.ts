import { isDeepStrictEqual } from "node:util";
import { type ChainID, hexOf, type ImageID } from "../../spec/index.js";
import { type Needs, needsOf } from "../map/needs.js";
import { doubtsOf } from "../reclaim/doubts.js";
import type { ContainerState, RootState } from "../root/root-state.js";
import { type Area, areasOf, type others } from "./areas.js";
import { type Measured, type MeasureOptions, measure } from "./measure.js";
import { nothing, type Room, sumOf } from "./room.js";

/** What takes how much of a data root, as `GET /layerkit/df` serves it. `Kinds` add up to `Total`. */
export interface Usage {
  readonly Root: string;
  readonly Driver: string;
  /** What `du -sx` says of the root, and `du -sx --inodes`. */
  readonly Total: Room;
  /** Bytes in `Total` of blocks that files share by reflinks, beyond their first count; only where asked for. */
  readonly Reflinked?: number;
  /** How many layers' and containers' sizes are of an earlier measurement: it is known that they have not changed. */
  readonly Remembered: number;
  readonly Kinds: readonly KindUsage[];
  /** Read-only layers, each after the one it lies on. */
  readonly Layers: readonly LayerUsage[];
  readonly Images: readonly ImageUsage[];
  readonly Containers: readonly ContainerUsage[];
  readonly Volumes: readonly VolumeUsage[];
}

export interface KindUsage extends Room {
  readonly Kind: "images" | "containers" | "volumes" | (typeof others)[number];
  /** How many there are, of what can be counted. */
  readonly Count?: number;
  /** How many of them are in use. */
  readonly Active?: number;
  /** What removing all that is not in use frees. */
  readonly Reclaimable: Room;
}

/** A layer's directory and its entry in the layerdb. */
export interface LayerUsage extends Room {
  readonly ChainID: ChainID;
  /** The layer it lies on. */
  readonly Parent?: ChainID;
}

export interface ImageUsage extends Room {
  readonly Id: ImageID;
  /** As `docker images` shows them; none for an untagged one. */
  readonly Names: readonly string[];
  /** Bottom first. */
  readonly Layers: readonly ChainID[];
  /** Of layers that other images have as well. */
  readonly Shared: Room;
  /** Of this image alone. */
  readonly Unique: Room;
  /** What removing it frees now: nothing while a container needs it. */
  readonly Reclaimable: Room;
  /** How many containers are made of it. */
  readonly Containers: number;
}

/** Its room is its own: writable layer, init layer, configuration, logs. */
export interface ContainerUsage extends Room {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly Running: boolean;
  /** The layer that its own lies on. */
  readonly Layer?: ChainID;
  /** Of that and those below it. */
  readonly Shared: Room;
  readonly Reclaimable: Room;
}

export interface VolumeUsage extends Room {
  readonly Name: string;
  /** How many containers have it. */
  readonly Users: number;
  readonly Reclaimable: Room;
}

/** Measures a data root. @param state as `readRoot` gives it */
export async function usageOf(state: RootState, options: MeasureOptions = {}): Promise<Usage> {
  const known = reckoned.get(state) ?? prepared(state);
  reckoned.set(state, known);
  const measured = await measure(known.areas, options);
  if (!known.last || !isDeepStrictEqual(known.last.measured, measured)) {
    known.last = { measured, usage: new Reckoning(state, known.needs, known.areas, measured).usage() };
  }
  return known.last.usage;
}

interface Reckoned {
  readonly needs: Needs;
  readonly areas: readonly Area[];
  last?: { readonly measured: Measured; readonly usage: Usage };
}

/** A root that has not changed is not reckoned again. */
const reckoned = new WeakMap<RootState, Reckoned>();

function prepared(state: RootState): Reckoned {
  const needs = needsOf(state);
  return { needs, areas: areasOf(state, needs) };
}

/** How many layers and containers have all their directories remembered. */
function countRemembered({ home }: RootState, areas: readonly Area[], { remembered }: Measured): number {
  const [whole, parts] = [new Set<string>(), new Set<string>()];
  for (const [at, { holder, path }] of areas.entries()) {
    if (!path.startsWith(`${home}/`) || (holder.kind !== "layer" && holder.kind !== "container")) continue;
    (remembered[at] ? whole : parts).add(holder.kind === "layer" ? holder.chainID : holder.id);
  }
  return [...whole].filter((each) => !parts.has(each)).length;
}

class Reckoning {
  readonly #state: RootState;
  readonly #needs: Needs;
  readonly #measured: Measured;
  readonly #layers = new Map<ChainID, Room>();
  readonly #images = new Map<ImageID, Room>();
  readonly #containers = new Map<string, Room>();
  readonly #volumes = new Map<string, Room>();
  readonly #others = new Map<string, Room>();
  readonly #remembered: number;

  constructor(state: RootState, needs: Needs, areas: readonly Area[], measured: Measured) {
    this.#state = state;
    this.#needs = needs;
    this.#measured = measured;
    this.#remembered = countRemembered(state, areas, measured);
    for (const [at, { holder }] of areas.entries()) {
      const room = measured.rooms[at] ?? nothing;
      if (holder.kind === "layer") add(this.#layers, holder.chainID, room);
      else if (holder.kind === "image") add(this.#images, holder.id, room);
      else if (holder.kind === "container") add(this.#containers, holder.id, room);
      else if (holder.kind === "volume") add(this.#volumes, holder.name, room);
      else add(this.#others, holder.kind, room);
    }
  }

  usage(): Usage {
    const { root: Root, driver: Driver } = this.#state;
    const { rooms, repeated } = this.#measured;
    const Layers = [...this.#layers].map(([ChainID, room]) => {
      const Parent = this.#state.layerdb.layers.get(hexOf(ChainID))?.parent;
      return { ChainID, ...(Parent && { Parent }), ...room };
    });
    const Images = [...this.#images.keys()].map((id) => this.#image(id));
    const Containers = [...this.#containers.keys()].map((id) => this.#container(id));
    const Volumes = [...this.#volumes.keys()].map((name) => this.#volume(name));
    const Kinds = [
      this.#imageKind(Images),
      this.#containerKind(Containers),
      kindOf("volumes", Volumes, ({ Users }) => Users > 0),
      ...this.#otherKinds(),
    ];
    const reflinked = repeated && { Reflinked: repeated.reduce((sum, bytes) => sum + bytes, 0) };
    const counted = { Total: sumOf(rooms), ...reflinked, Remembered: this.#remembered };
    return { Root, Driver, ...counted, Kinds, Layers, Images, Containers, Volumes };
  }

  #image(Id: ImageID): ImageUsage {
    const { namesOf, imagesOf, containersOf } = this.#needs;
    const chain = [...new Set(this.#state.images.contents.get(hexOf(Id))?.chain ?? [])];
    const shared = chain.filter((chainID) => (imagesOf.get(chainID) ?? []).length > 1);
    const Shared = this.#roomOf(shared);
    const Unique = sumOf([
      this.#images.get(Id) ?? nothing,
      this.#roomOf(chain.filter((each) => !shared.includes(each))),
    ]);
    const users = containersOf.get(Id)?.length ?? 0;
    const isFree = users === 0;
    return {
      ...{ Id, Names: namesOf.get(Id) ?? [], Layers: chain },
      ...sumOf([Shared, Unique]),
      ...{ Shared, Unique, Containers: users },
      Reclaimable: isFree ? this.#freeIn(Id, chain) : nothing,
    };
  }

  /** What goes with an image: nothing that a container, another image or the build cache needs. */
  #freeIn(id: ImageID, chain: readonly ChainID[]): Room {
    const own = chain.filter((each) => this.#needs.imagesOf.get(each)?.length === 1 && !this.#isHeld(each));
    return sumOf([this.#images.get(id) ?? nothing, this.#roomOf(own)]);
  }

  /** Whether somebody besides images needs it. */
  #isHeld(chainID: ChainID): boolean {
    return (this.#needs.mountsOf.get(chainID)?.length ?? 0) > 0 || this.#needs.cached.has(chainID);
  }

  #container(Id: string): ContainerUsage {
    const { config } = this.#state.containers.get(Id) ?? {};
    const parent = this.#state.layerdb.mounts.get(Id)?.parent;
    const room = this.#containers.get(Id) ?? nothing;
    const Running = config?.State?.Running ?? false;
    return {
      ...{ Id, Name: nameOf(config) ?? "", Image: config?.Config?.Image ?? config?.Image ?? "", Running },
      ...(parent && { Layer: parent }),
      ...room,
      Shared: this.#roomOf(parent ? this.#needs.chainOf(parent) : []),
      Reclaimable: Running ? nothing : room,
    };
  }

  #volume(Name: string): VolumeUsage {
    const room = this.#volumes.get(Name) ?? nothing;
    const Users = this.#needs.usersOf.get(Name)?.length ?? 0;
    return { Name, Users, ...room, Reclaimable: Users > 0 ? nothing : room };
  }

  #imageKind(images: readonly ImageUsage[]): KindUsage {
    const { imagesOf } = this.#needs;
    const layers = [...this.#layers.keys()].filter((chainID) => imagesOf.has(chainID));
    const active = images.filter(({ Containers }) => Containers > 0).map(({ Id }) => Id);
    const isFree = (each: ChainID) => !this.#isHeld(each) && !imagesOf.get(each)?.some((id) => active.includes(id));
    const free = images.filter(({ Containers }) => Containers === 0).map(({ Id }) => this.#images.get(Id) ?? nothing);
    return {
      ...{ Kind: "images", Count: images.length, Active: active.length },
      ...sumOf([...this.#images.values(), this.#roomOf(layers)]),
      Reclaimable: sumOf([...free, this.#roomOf(layers.filter(isFree))]),
    };
  }

  /** With layers that no image has any more, and containers still need. */
  #containerKind(containers: readonly ContainerUsage[]): KindUsage {
    const { imagesOf, mountsOf } = this.#needs;
    const running = new Set(containers.filter(({ Running }) => Running).map(({ Id }) => Id));
    const layers = [...this.#layers.keys()].filter((each) => !imagesOf.has(each) && mountsOf.has(each));
    const isFree = (each: ChainID) => !mountsOf.get(each)?.some((name) => running.has(name));
    const kind = kindOf("containers", containers, ({ Running }) => Running);
    const free = this.#roomOf(layers.filter(isFree));
    return {
      ...kind,
      ...sumOf([kind, this.#roomOf(layers)]),
      Reclaimable: sumOf([kind.Reclaimable, free]),
    };
  }

  #otherKinds(): KindUsage[] {
    const { imagesOf, mountsOf, cached, kept } = this.#needs;
    for (const [chainID, room] of this.#layers) {
      if (imagesOf.has(chainID) || mountsOf.has(chainID)) continue;
      const kind = cached.has(chainID) ? "build-cache" : kept.has(chainID) ? "temporary" : "unused";
      add(this.#others, kind, room);
    }
    const { directories, layers } = doubtsOf(this.#state);
    const isSure = directories.length + layers.length === 0;
    const isFree = (kind: string) => (kind === "unused" && isSure) || kind === "temporary";
    const isThere = ([, { Bytes, Inodes }]: [string, Room]) => Bytes + Inodes > 0;
    return [...this.#others].filter(isThere).map(([kind, room]) => ({
      ...room,
      Kind: kind as KindUsage["Kind"],
      Reclaimable: isFree(kind) ? room : nothing,
    }));
  }

  #roomOf(layers: readonly ChainID[]): Room {
    return sumOf(layers.map((each) => this.#layers.get(each) ?? nothing));
  }
}

function kindOf<T extends Room & { readonly Reclaimable: Room }>(
  Kind: KindUsage["Kind"],
  all: readonly T[],
  isActive: (each: T) => boolean,
): KindUsage {
  const Reclaimable = sumOf(all.map((each) => each.Reclaimable));
  return { Kind, Count: all.length, Active: all.filter(isActive).length, ...sumOf(all), Reclaimable };
}

/** Without the slash in front. */
export function nameOf(config: ContainerState["config"]): string | undefined {
  return config?.Name?.replace(/^\//, "");
}

function add<K>(rooms: Map<K, Room>, key: K, room: Room): void {
  rooms.set(key, sumOf([rooms.get(key) ?? nothing, room]));
}
