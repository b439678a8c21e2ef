import type { Path } from "../spec/index.js";
import { namesOf } from "./names.js";
import type { Directory, Inode, Tree, Whiteout } from "./tree.js";

/** One directory of one layer. */
export interface Place {
  /** Index of the layer in its stack. */
  readonly layer: number;
  readonly directory: Directory;
}

/** What a stack of layers has at a path. */
export interface Found {
  readonly inode: Exclude<Inode, Whiteout>;
  /** Index of the layer that provides it: the topmost that has it. */
  readonly layer: number;
  /** The directories that make it up, topmost first; none when it is no directory. */
  readonly places: readonly Place[];
}

/**
 * What is at `path` in the merged view of `layers`, bottom first. The nearest layer with the name provides it, unless
 * a whiteout, an opaque directory or something that is no directory is in the way. Symlinks are not followed.
 *
 * An opaque root hides all layers below, as a layer means it; the kernel itself does not heed the mark on a root.
 */
export function lookup(layers: readonly Tree[], path: Path): Found | undefined {
  let at: Found | undefined = rootOf(layers);
  for (const name of namesOf(path)) at &&= childOf(layers, at, name);
  return at;
}

/** The entries of a directory that `lookup` found, by name, in no order. */
export function list(layers: readonly Tree[], directory: Found): Map<string, Found> {
  const names = new Set(directory.places.flatMap((place) => [...place.directory.entries.keys()]));
  const entries = new Map<string, Found>();
  for (const name of names) {
    const child = childOf(layers, directory, name);
    if (child !== undefined) entries.set(name, child);
  }
  return entries;
}

/** The merged root; undefined for a stack of no layers. */
export function rootOf(layers: readonly Tree[]): Found | undefined {
  const places = rootsBelow(layers, layers.length);
  const opaque = places.findIndex(({ directory }) => directory.opaque);
  return directoryFound(opaque < 0 ? places : places.slice(0, opaque + 1));
}

/** What directory `parent` has by the name `name`. @see Linux fs/overlayfs/namei.c, ovl_lookup */
export function childOf(layers: readonly Tree[], parent: Found, name: string): Found | undefined {
  const found: Place[] = [];
  let search = parent.places;
  let way: Way = { names: [name], fromRoot: false };
  for (let at = 0; at < search.length; at++) {
    const { layer, directory } = search[at]!;
    const hit = searchLayer(directory, way, found.length > 0);
    if (hit.inode && hit.inode.kind !== "directory") return { inode: hit.inode, layer, places: [] };
    if (hit.inode) found.push({ layer, directory: hit.inode });
    if (hit.stop) break;
    if (hit.way.fromRoot) {
      search = rootsBelow(layers, layer);
      at = -1;
    }
    way = hit.way;
  }
  return directoryFound(found);
}

/** How further layers are to be searched: from the parent's place in them, or from their roots. */
interface Way {
  readonly names: readonly string[];
  readonly fromRoot: boolean;
}

interface Hit {
  readonly inode?: Exclude<Inode, Whiteout>;
  /** No layer further down counts. */
  readonly stop: boolean;
  readonly way: Way;
}

/** Follows `way` in one layer. Below a directory of a layer above only directories count, all else ends the search. */
function searchLayer(start: Directory, way: Way, belowDirectory: boolean): Hit {
  let { fromRoot } = way;
  let walked: readonly string[] = [];
  let at = start;
  let stop = false;
  for (const [index, name] of way.names.entries()) {
    const rest = way.names.slice(index + 1);
    const inode = at.entries.get(name);
    if (inode === undefined) return { stop, way: { names: [...walked, name, ...rest], fromRoot } };
    if (inode.kind === "whiteout") return { stop: true, way };
    if (inode.kind !== "directory") {
      return rest.length === 0 && !belowDirectory ? { inode, stop: true, way } : { stop: true, way };
    }
    stop ||= inode.opaque === true;
    if (inode.redirect === undefined) walked = [...walked, name];
    else if (inode.redirect.startsWith("/")) [walked, fromRoot] = [namesOf(inode.redirect.slice(1)), true];
    else walked = [...walked, inode.redirect];
    at = inode;
  }
  return { inode: at, stop, way: { names: walked, fromRoot } };
}

/** The roots of the layers under index `layer`, topmost first. */
function rootsBelow(layers: readonly Tree[], layer: number): Place[] {
  return layers
    .slice(0, layer)
    .map((directory, index) => ({ layer: index, directory }))
    .reverse();
}

function directoryFound(places: readonly Place[]): Found | undefined {
  const [top] = places;
  return top && { inode: top.directory, layer: top.layer, places };
}
