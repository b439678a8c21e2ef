import { relative } from "node:path";
import type { Engine } from "../../engine/index.js";
import { type DiffID, shortID } from "../../spec/index.js";
import { directoriesOf, type LayerPlace, layerdb, layerPlaces, statOf, textOf } from "./disk.js";
import type { Page } from "./page.js";

/** What every part of the walk-through works with. */
export interface Tour {
  readonly engine: Engine;
  readonly page: Page;
  readonly signal: AbortSignal;
  readonly image: TourImage;
}

export interface TourImage {
  readonly name: string;
  readonly id: string;
  /** Bottom first. */
  readonly layers: readonly LayerPlace[];
  readonly size: number;
}

export async function tourImage(engine: Engine, name: string): Promise<TourImage> {
  const { Id, RootFS, Size } = await engine.images.inspect(name);
  const layers = await layerPlaces(engine, (RootFS.Layers ?? []) as DiffID[]);
  return { name, id: Id, layers, size: Size };
}

/** A container of the image, its merged view mounted. */
export interface TourContainer {
  readonly id: string;
  /** The merged view. */
  readonly merged: string;
  /** Its own directory: overlayfs's upper. With `vfs`, where nothing is stacked, the merged view itself. */
  readonly upper: string;
  readonly upperID: string;
  readonly initID: string;
}

/** Reads from the layerdb which directories a container has. */
export async function containerPlaces(engine: Engine, id: string) {
  const entry = `${layerdb(engine)}/mounts/${id}`;
  const upperID = (await textOf(`${entry}/mount-id`)) ?? "";
  const initID = (await textOf(`${entry}/init-id`)) ?? "";
  return { upperID, initID, upper: directoriesOf(engine, upperID).content };
}

/** The number of the layer, counted from the bottom, whose file the merged view shows; 0 when none has it. */
export async function layerOf(layers: readonly LayerPlace[], path: string): Promise<number> {
  for (let at = layers.length; at > 0; at--) {
    const layer = layers[at - 1];
    if (layer && (await statOf(`${layer.content}/${path}`))) return at;
  }
  return 0;
}

/** A path of the data root as the page shows it: relative, ids cut to 12 digits. */
export function shown(engine: Engine, path: string): string {
  return relative(engine.root, path).replace(/\b[0-9a-f]{64}\b/g, (id) => `${shortID(id)}…`);
}

export function short(id: string): string {
  return `${shortID(id)}…${id.endsWith("-init") ? "-init" : ""}`;
}

/** Bytes as people read them. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const power = Math.min(4, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toPrecision(3)} ${["kB", "MB", "GB", "TB"][power - 1]}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
