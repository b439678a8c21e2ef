import type { Room, Usage } from "../../doctor/index.js";
import { shortID } from "../../spec/index.js";
import { size } from "../format/size.js";
import type { Branch } from "../format/tree.js";

type Layer = Usage["Layers"][number];

/**
 * Who shares which layers: what stands under layers lies on them. Layers that only go together are one line; images and
 * containers stand under the layer that their own stack ends with.
 */
export function sharingOf(usage: Usage): Branch[] {
  const children = groups(usage.Layers, ({ Parent }) => Parent);
  const images = groups(usage.Images, ({ Layers }) => Layers.at(-1));
  const containers = groups(usage.Containers, ({ Layer }) => Layer);
  const ends = (top: string | undefined): Branch[] => [
    ...(images.get(top) ?? []).map(imageBranch),
    ...(containers.get(top) ?? []).map(containerBranch),
  ];
  const above = (below: string | undefined): Branch[] => (children.get(below) ?? []).map(runFrom);
  const runFrom = (layer: Layer): Branch => {
    const run = [layer];
    for (let top = layer; ; run.push(top)) {
      const [next, other] = children.get(top.ChainID) ?? [];
      if (!next || other || ends(top.ChainID).length > 0) break;
      top = next;
    }
    const top = run.at(-1)?.ChainID;
    return { text: runText(run), below: [...ends(top), ...above(top)] };
  };
  const there = new Set(usage.Layers.map(({ ChainID }) => ChainID));
  const bottoms = usage.Layers.filter(({ Parent }) => Parent === undefined || !there.has(Parent));
  const bare = ends(undefined);
  return [...bottoms.map(runFrom), ...bare];
}

function runText(run: readonly Layer[]): string {
  const what = run.length === 1 ? "layer" : `${run.length} layers up to`;
  const room = run.reduce((sum, { Bytes, Inodes }) => ({ Bytes: sum.Bytes + Bytes, Inodes: sum.Inodes + Inodes }), {
    Bytes: 0,
    Inodes: 0,
  });
  return `${what} ${shortID(run.at(-1)!.ChainID)}  ${roomText(room)}`;
}

function imageBranch({ Id, Names, Unique }: Usage["Images"][number]): Branch {
  return { text: `image ${Names.join(", ") || shortID(Id)}  ${roomText(Unique)} of its own`, below: [] };
}

function containerBranch({ Id, Name, Running, ...room }: Usage["Containers"][number]): Branch {
  return { text: `container ${Name || shortID(Id)}${Running ? ", running" : ""}  ${roomText(room)}`, below: [] };
}

function roomText({ Bytes, Inodes }: Room): string {
  return `${size(Bytes, 4)}, ${Inodes} ${Inodes === 1 ? "inode" : "inodes"}`;
}

function groups<T>(all: readonly T[], keyOf: (each: T) => string | undefined): Map<string | undefined, T[]> {
  const groups = new Map<string | undefined, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}
