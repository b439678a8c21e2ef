import { writableTree } from "../root/read-home.js";
import { ownerOfFiles, ownerOfLayer } from "../root/remapped.js";
import type { Step } from "./finding.js";
import type { Known } from "./known/known.js";
import { linkTo } from "./rules/links.js";
import { lowerIDOf, lowerOf } from "./rules/lowers.js";

/** Makes the directory of a writable layer that has written nothing yet. */
export function newDirectory(known: Known, id: string): Step[] {
  const { driver, home } = known.state;
  const at = `${home}/${id}`;
  if (driver === "vfs") return newTree(known, id);
  const own: Step = { kind: "make-directory", path: at, mode: 0o710, ...ownerOfLayer(known.state.root) };
  return [
    ...newTree(known, id),
    own,
    ...(driver === "overlay2" ? ofOverlay2(known, id, at) : ofOverlay(known, id, at)),
  ];
}

/** The files of such a layer, which there are none of. What they begin with has to be there: this comes first. */
export function newTree({ state, below }: Known, id: string): Step[] {
  const { driver, home, root } = state;
  const lower = below.get(id);
  const isBegun = driver === "vfs" || id.endsWith("-init") || driver === "overlay";
  // With the driver overlay what lies on nothing is no writable layer.
  if (isBegun && below.has(id) && (lower !== undefined || driver !== "overlay")) {
    return [{ kind: "begin-layer", id, ...(lower !== undefined && { below: lower }) }];
  }
  return driver === "vfs"
    ? []
    : [{ kind: "make-directory", path: `${home}/${id}/${writableTree(driver)}`, mode: 0o755, ...ownerOfFiles(root) }];
}

function ofOverlay2(known: Known, id: string, at: string): Step[] {
  const lower = lowerOf(known, id);
  const isInit = id.endsWith("-init");
  return [
    linkTo(known, id),
    file(`${at}/link`, known.names.of(id), 0o644),
    ...(lower === undefined ? [] : [work(known, at), file(`${at}/lower`, lower, 0o644)]),
    ...(isInit ? [file(`${at}/committed`, "", 0o600)] : []),
  ];
}

function ofOverlay(known: Known, id: string, at: string): Step[] {
  const lower = lowerIDOf(known, id);
  return [work(known, at), ...(lower === undefined ? [] : [file(`${at}/lower-id`, lower, 0o600)])];
}

function work({ state }: Known, at: string): Step {
  return { kind: "make-directory", path: `${at}/work`, mode: 0o700, ...ownerOfFiles(state.root) };
}

function file(path: string, text: string, mode: number): Step {
  return { kind: "write-file", path, text, mode };
}
