import type { Found, MappedDirectory, RootMap } from "../../doctor/index.js";
import { shortID } from "../../spec/index.js";
import { size } from "../format/size.js";
import type { Listing } from "../print.js";

export interface RowOptions {
  /** Short ids, and commands and names cut off. */
  readonly trunc: boolean;
}

/** Every directory and who uses it. */
export function directoryRows(directories: readonly MappedDirectory[], { trunc }: RowOptions): Listing {
  const rows = directories.map((each) => ({
    Name: trunc ? shortName(each.Name) : each.Name,
    Use: each.Use,
    Size: each.Size === undefined ? "" : size(each.Size),
    ...identity(each, trunc),
    Images: listed(each.Images, trunc),
    Containers: listed(each.Containers, trunc),
    Directory: each.Directory,
  }));
  const columns = { NAME: "Name", USE: "Use", SIZE: "Size", LAYER: "DiffID", "CHAIN ID": "ChainID" };
  return { rows, columns: { ...columns, IMAGES: "Images", CONTAINERS: "Containers" } };
}

/** The layers of an image or container, topmost first, and what made them. */
export function stackRows({ Images }: RootMap, { image, container, directories }: Found, options: RowOptions): Listing {
  const of = image ?? Images.find(({ Id, Names }) => Id === container?.Image || Names.includes(container?.Image ?? ""));
  const made = new Map(of?.Layers.map((chainID, at) => [chainID as string, of.CreatedBy[at] ?? ""]));
  const rows = directories.map((each) => ({
    ...identity(each, options.trunc),
    Size: each.Size === undefined ? "" : size(each.Size),
    CreatedBy: cut(each.ChainID ? (made.get(each.ChainID) ?? "") : own(each, container?.Name), options.trunc),
    Directory: each.Directory,
  }));
  const columns = { LAYER: "DiffID", "CHAIN ID": "ChainID", SIZE: "Size", "CREATED BY": "CreatedBy" };
  return { rows, columns: { ...columns, DIRECTORY: "Directory" } };
}

function identity({ Use, ChainID, DiffID }: MappedDirectory, trunc: boolean) {
  const shown = (id: string | undefined) => (id !== undefined && trunc ? shortID(id) : (id ?? ""));
  const name = Use === "container" ? "<writable>" : Use === "init" ? "<init>" : shown(DiffID);
  return { DiffID: name, ChainID: shown(ChainID) };
}

function own({ Use }: MappedDirectory, name = ""): string {
  return Use === "init" ? "mount points of every container" : `container ${name}`;
}

/** Of a directory's name, with what tells an init layer. */
function shortName(name: string): string {
  const [, hex = "", rest = ""] = /^([0-9a-f]{64})(.*)$/s.exec(name) ?? [];
  return hex === "" ? name : `${hex.slice(0, 12)}${rest}`;
}

function listed(names: readonly string[], trunc: boolean): string {
  const shown = trunc && names.length > 3 ? [...names.slice(0, 2), `and ${names.length - 2} more`] : names;
  return shown.join(", ");
}

function cut(text: string, trunc: boolean): string {
  const line = text.replaceAll("\t", " ");
  return trunc && line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
