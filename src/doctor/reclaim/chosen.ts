import { join } from "node:path";
import { hexOf, type ImageID, parseRFC3339 } from "../../spec/index.js";
import { volumesIn } from "../df/areas.js";
import { nameOf } from "../df/usage.js";
import { needsOf } from "../map/needs.js";
import { readFact, textOf } from "../root/fact.js";
import type { ImageEntry, RootState } from "../root/root-state.js";
import type { Doubts } from "./doubts.js";
import type { Item } from "./item.js";
import { isSeen } from "./leftovers.js";
import { isPinned, readPins } from "./pins.js";

/** What is to go besides what nobody needs. */
export interface Choice {
  /** Containers that do not run. */
  readonly containers?: boolean;
  /** Images without a tag that no container uses; or also those with one. */
  readonly images?: "untagged" | "all";
  /** Volumes that no container has: those without a name of their own, or all. */
  readonly volumes?: "anonymous" | "all";
  /** Only what was made before, in nanoseconds since 1970. Volumes do not tell, and stay. */
  readonly untilNs?: bigint;
  /** Only what has all of these, `KEY` or `KEY=VALUE`. */
  readonly labels?: readonly string[];
  /** Only what has none of these. */
  readonly notLabels?: readonly string[];
}

type Labels = Readonly<Record<string, string>> | null | undefined;

/**
 * What of a choice can go, in order, and the root as it is without it: what nobody needs any more then is left over.
 * What is pinned, running or in doubt stays.
 */
export function chosenIn(state: RootState, choice: Choice, doubts: Doubts): { items: Item[]; rest: RootState } {
  const containers = choice.containers ? stoppedContainers(state, choice) : [];
  const withoutContainers = { ...state, containers: without(state.containers, containers) };
  const images = choice.images && doubts.images.length === 0 ? unusedImages(withoutContainers, choice) : [];
  const rest = {
    ...withoutContainers,
    images: {
      ...state.images,
      contents: without(
        state.images.contents,
        images.map(({ node }) => node.name),
      ),
    },
  };
  const volumes = choice.volumes && doubts.volumes.length === 0 ? freeVolumes(withoutContainers, choice) : [];
  const items = [
    ...containers.map((id) => containerItem(state, id)),
    ...images.map((image) => imageItem(state, image)),
    ...volumes.map((name) => volumeItem(state, name)),
  ];
  return { items, rest };
}

function without<V>(all: ReadonlyMap<string, V>, names: readonly string[]): Map<string, V> {
  const gone = new Set(names);
  return new Map([...all].filter(([name]) => !gone.has(name)));
}

function stoppedContainers(state: RootState, choice: Choice): string[] {
  const { containers, driver, layerdb } = state;
  return [...containers]
    .filter(([id]) => !isSeen(state, layerdb.mounts.get(id)?.mountID))
    .filter(([, { config }]) => config && (config.Driver ?? driver) === driver && !config.State?.Running)
    .filter(([, { config }]) => fits(choice, config?.Created, config?.Config?.Labels))
    .map(([id]) => id);
}

/** What others were made upon goes with the last of them: each names the one it was made from. */
function unusedImages(state: RootState, choice: Choice): ImageEntry[] {
  const { namesOf, containersOf } = needsOf(state);
  const pins = readPins(state.images.path);
  const going = new Set<ImageEntry>();
  const isFree = (image: ImageEntry): boolean => {
    const { id, config } = image;
    const names = namesOf.get(id!) ?? [];
    if (!config || containersOf.has(id!) || isPinned(pins, [...names, id!], config)) return false;
    if (!fits(choice, config.created, config.config?.Labels)) return false;
    const isTagged = names.some((name) => !name.includes("@"));
    if (isTagged && choice.images !== "all") return false;
    return childrenOf(state, id!).every((child) => going.has(child));
  };
  for (let before = -1; before !== going.size; ) {
    before = going.size;
    for (const image of state.images.contents.values()) if (image.id && isFree(image)) going.add(image);
  }
  return [...going];
}

function childrenOf({ images }: RootState, id: ImageID): ImageEntry[] {
  const isChild = (hex: string) => textOf(images.metadata.get(hex)?.parent)?.trim() === id;
  return [...images.contents].filter(([hex]) => isChild(hex)).map(([, image]) => image);
}

function freeVolumes(state: RootState, choice: Choice): string[] {
  const { usersOf } = needsOf(state);
  return volumesIn(state.root)
    .filter((name) => !usersOf.has(name) && (choice.volumes === "all" || /^[0-9a-f]{64}$/.test(name)))
    .filter((name) => choice.untilNs === undefined && labelsFit(choice, () => labelsOfVolume(state, name)));
}

/** dockerd keeps labels of volumes in a database of its own: of those they are not known. */
function labelsOfVolume({ root }: RootState, name: string): Labels {
  const text = textOf(readFact(join(root, "volumes", name, "layerkit.json")));
  try {
    return (JSON.parse(text ?? "") as { Labels?: Record<string, string> }).Labels ?? {};
  } catch {
    return undefined;
  }
}

function fits(choice: Choice, created: string | undefined, labels: Labels): boolean {
  const madeNs = created === undefined ? undefined : parseRFC3339(created);
  const isOld = choice.untilNs === undefined || (madeNs ?? 0n) < choice.untilNs;
  return isOld && labelsFit(choice, () => labels ?? {});
}

/** @param labelsOf undefined when they are not known: then nothing fits that asks for them */
function labelsFit({ labels = [], notLabels = [] }: Choice, labelsOf: () => Labels): boolean {
  if (labels.length + notLabels.length === 0) return true;
  const there = labelsOf();
  return there != null && labels.every((each) => has(there, each)) && !notLabels.some((each) => has(there, each));
}

function has(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(wanted) ?? [];
  return Object.hasOwn(labels, name) && (value === undefined || labels[name] === value);
}

function containerItem({ root, containers }: RootState, id: string): Item {
  const path = join(root, "containers", id);
  const dying = join(root, "tmp", `removed-${id}`);
  const steps = [{ do: "move", from: path, to: dying } as const, { do: "remove", path: dying } as const];
  return { kind: "container", name: nameOf(containers.get(id)?.config) || id, paths: [path], steps };
}

function volumeItem({ root }: RootState, name: string): Item {
  const path = join(root, "volumes", name);
  const dying = join(root, "tmp", `removed-volume-${name}`);
  const steps = [{ do: "move", from: path, to: dying } as const, { do: "remove", path: dying } as const];
  return { kind: "volume", name, paths: [path], steps };
}

function imageItem(state: RootState, { id }: ImageEntry): Item {
  const { images } = state;
  const names = needsOf(state).namesOf.get(id!) ?? [];
  const content = join(images.path, "imagedb/content/sha256", hexOf(id!));
  const metadata = join(images.path, "imagedb/metadata/sha256", hexOf(id!));
  const steps = [
    ...(names.length > 0 ? [{ do: "untag", names } as const] : []),
    { do: "remove", path: content } as const,
    { do: "remove", path: metadata } as const,
  ];
  return { kind: "image", name: names[0] ?? id!, paths: [content, metadata], steps };
}
