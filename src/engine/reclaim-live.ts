import { basename } from "node:path";
import { doItem, doubtsOf, type Item, leftoversIn, type RootState } from "../doctor/index.js";
import type { LayerStore } from "../layer/index.js";
import { type ChainID, Conflict } from "../spec/index.js";
import type { Containers } from "./containers.js";
import type { Images } from "./images.js";
import type { BringParts } from "./pull/bring-layers.js";
import type { Volumes } from "./volumes.js";

/** By what an engine frees what it knows. */
export interface RemovalParts {
  readonly containers: Containers;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly layers: LayerStore;
  readonly kept: BringParts["kept"];
}

/**
 * Frees one thing in a root that an engine works in: what it knows it removes itself, by its own rules. What it does not
 * know goes from the disk, if it was there and unused before and is still: what is being made has a name by then.
 *
 * @param before what was read first @param read reads the root again
 */
export function removing(parts: RemovalParts, before: RootState, read: () => Promise<RootState>) {
  const { containers, images, volumes, layers } = parts;
  let again: Promise<ReadonlySet<string>> | undefined;
  const isStillUnused = async (item: Item) => {
    again ??= read().then((state) => new Set(leftoversIn(state, doubtsOf(state), true).map(keyOf)));
    return (await again).has(keyOf(item)) && !isKnown(layers, basename(item.name));
  };
  return async (item: Item): Promise<void> => {
    const [path = ""] = item.paths;
    switch (item.kind) {
      case "container":
        return await containers.remove(basename(path));
      case "image":
        return await removeImage(images, item);
      case "volume":
        return await volumes.remove(item.name);
      case "writable":
        await layers.rw.remove(basename(path));
        return;
      case "layer":
        await parts.kept.release();
        await layers.prune();
        if (layers.find(item.name as ChainID)) throw new Conflict(`layer ${item.name} is in use by now`);
        return;
      default:
        if (!(await isStillUnused(item))) throw new Conflict(`${item.name} is in use by now`);
        await doItem(before, item);
    }
  };
}

/** With its last name an image goes. */
async function removeImage(images: Images, { name, steps }: Item): Promise<void> {
  const names = steps.flatMap((step) => (step.do === "untag" ? step.names : []));
  const tags = names.filter((each) => !each.includes("@"));
  for (const each of tags.length > 0 ? tags : names.length > 0 ? names : [name]) await images.remove(each);
}

function keyOf({ kind, name }: Item): string {
  return `${kind} ${name}`;
}

function isKnown(layers: LayerStore, id: string): boolean {
  const ids = [
    ...layers.list().map(({ cacheID }) => cacheID),
    ...layers.rw.list().flatMap(({ mountID, initID }) => [mountID, initID]),
  ];
  return ids.some((each) => each === id);
}
