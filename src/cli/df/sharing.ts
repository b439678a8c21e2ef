import type { Room, Usage } from "../../doctor/index.js";
import { shortID } from "../../spec/index.js";
import { size } from "../format/size.js";
import { groups, stackTree } from "../format/stack-tree.js";
import type { Branch } from "../format/tree.js";

/** Who shares which layers: images and containers stand under the layer that their own stack ends with. */
export function sharingOf({ Layers, Images, Containers }: Usage): Branch[] {
  const images = groups(Images, ({ Layers }) => Layers.at(-1));
  const containers = groups(Containers, ({ Layer }) => Layer);
  const ends = (top: string | undefined) => [
    ...(images.get(top) ?? []).map(imageBranch),
    ...(containers.get(top) ?? []).map(containerBranch),
  ];
  return stackTree(Layers, runText, ends);
}

function runText(run: readonly Usage["Layers"][number][]): string {
  const what = run.length === 1 ? "layer" : `${run.length} layers up to`;
  const [bytes, inodes] = [sum(run.map(({ Bytes }) => Bytes)), sum(run.map(({ Inodes }) => Inodes))];
  return `${what} ${shortID(run.at(-1)!.ChainID)}  ${roomText({ Bytes: bytes, Inodes: inodes })}`;
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

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
