import type { MappedDirectory, RootMap } from "../../doctor/index.js";
import { shortID } from "../../spec/index.js";
import { size } from "../format/size.js";
import { groups, stackTree } from "../format/stack-tree.js";
import type { Branch } from "../format/tree.js";

/** Layers upon each other with their directories, and what stands on them; then what has no place there. */
export function layerTree({ Directories, Images, Containers, Root }: RootMap): Branch[] {
  const placeOf = ({ Directory }: MappedDirectory) => Directory.slice(Root.length + 1);
  const byName = new Map(Directories.map((each) => [each.Name, each]));
  const images = groups(Images, ({ Layers }) => Layers.at(-1));
  const containers = groups(Containers, ({ Layer }) => Layer);
  const lineOf = (each: MappedDirectory) => `${placeOf(each)}${sizeText(each)}`;
  const ends = (top: string | undefined): Branch[] => [
    ...(images.get(top) ?? []).map(({ Id, Names }) => ({
      text: `image ${Names.join(", ") || shortID(Id)}`,
      below: [],
    })),
    ...(containers.get(top) ?? []).map(({ Id, Name, Directories: own }) => ({
      text: `container ${Name || shortID(Id)}`,
      below: own.flatMap((name) => byName.get(name) ?? []).map((each) => ({ text: lineOf(each), below: [] })),
    })),
  ];
  const layers = Directories.filter(({ ChainID }) => ChainID !== undefined);
  const runText = (run: readonly MappedDirectory[]) =>
    run.map((each) => `layer ${shortID(each.ChainID ?? "")} in ${lineOf(each)}`).join("\n");
  const others = Directories.filter(({ Use }) => ["builder", "unused", "unknown"].includes(Use));
  const loose = others
    .filter(({ ChainID }) => ChainID === undefined)
    .map((each) => ({ text: `${each.Use} ${lineOf(each)}`, below: [] }));
  return [...stackTree(layers, runText, ends), ...loose];
}

function sizeText({ Size }: MappedDirectory): string {
  return Size === undefined ? "" : `, ${size(Size)}`;
}
