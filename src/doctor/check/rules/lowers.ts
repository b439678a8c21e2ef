import { textOf } from "../../root/fact.js";
import type { Finding, Step } from "../finding.js";
import { type Known, whoNeedsDirectory } from "../known/known.js";
import { namesInLower } from "../known/short-names.js";
import { finding } from "../rule.js";

/** overlay2: `lower` lists all that is below a layer; overlay: `lower-id` says the one. Both as the metadata has it. */
export function* lowers(known: Known): Generator<Finding> {
  const { state } = known;
  for (const id of known.below.keys()) {
    if (state.directories.get(id)?.node.kind !== "directory") continue;
    if (state.driver === "overlay2") yield* lower(known, id);
    if (state.driver === "overlay") yield* lowerID(known, id);
  }
}

function* lower(known: Known, id: string): Generator<Finding> {
  const { state } = known;
  const [path, { lower: fact, nodes }] = [`${state.home}/${id}/lower`, state.directories.get(id)!];
  const right = chainBelow(known, id);
  if (!right) return;
  const found = { severity: "damage", path } as const;
  if (right.length === 0) {
    if (!nodes.has("lower")) return;
    const remedy: Step[] = [{ kind: "set-aside", path }];
    const what = "the layer is a bottom one, and yet lies on others";
    yield finding(
      { ...found, kind: "lower-wrong", what, means: "it is mounted with files of other images in it", remedy },
      whoNeedsDirectory(known, id),
    );
    return;
  }
  const text = textOf(fact) ?? "";
  const remedy: Step[] = [{ kind: "write-file", path, text: lowerText(known, right), mode: 0o644 }];
  if (text === "") {
    const what = `it ${nodes.has("lower") ? "is empty or cannot be read" : "is missing"}, though the layer lies on ${right.length} others`;
    const means = "the layer is used alone: what should be below is not there for containers, images cannot be saved";
    yield finding({ ...found, kind: "lower-missing", what, means, remedy }, whoNeedsDirectory(known, id));
    return;
  }
  const said = namesInLower(text)?.map((name) => known.names.directory(name));
  if (said && said.length === right.length && said.every((each, index) => each === right[index])) return;
  const what = said ? "the layers it lists are not those the metadata has below this one" : "it does not list layers";
  const means = "the layer is mounted upon others than its image has, or not at all";
  yield finding({ ...found, kind: "lower-wrong", what, means, remedy }, whoNeedsDirectory(known, id));
}

/** More cannot be mounted: a way that is longer goes round in a circle. */
const mostBelow = 500;

/** The directories below one, top first; undefined: not all are known. */
function chainBelow({ below }: Known, id: string): string[] | undefined {
  const chain: string[] = [];
  for (let at: string | undefined = id; ; chain.push(at)) {
    if (!below.has(at) || chain.length > mostBelow) return undefined;
    at = below.get(at);
    if (at === undefined) return chain;
  }
}

function lowerText({ names }: Known, chain: readonly string[]): string {
  return chain.map((id) => `l/${names.of(id)}`).join(":");
}

/** What `lower` of a layer's directory is to be; undefined: of a bottom one, or not known. */
export function lowerOf(known: Known, id: string): string | undefined {
  const chain = chainBelow(known, id) ?? [];
  return chain.length === 0 ? undefined : lowerText(known, chain);
}

/** overlay: the image layer that a writable one lies on. */
export function lowerIDOf({ below, state }: Known, id: string): string | undefined {
  const parent = below.get(id);
  return parent?.endsWith("-init") && state.driver === "overlay" ? below.get(parent) : parent;
}

/** Whose tree is whole, and lies on nothing. */
function isImages({ uses }: Known, id: string): boolean {
  return uses.get(id)?.[0]?.kind === "layer";
}

function* lowerID(known: Known, id: string): Generator<Finding> {
  const { state } = known;
  const { nodes, lowerID: fact } = state.directories.get(id)!;
  const right = lowerIDOf(known, id);
  if (isImages(known, id) || right === undefined || textOf(fact)?.trim() === right) return;
  const path = `${state.home}/${id}/lower-id`;
  const text = textOf(fact) ?? "";
  const remedy: Step[] = [{ kind: "write-file", path, text: right, mode: 0o600 }];
  const means = "the container cannot be mounted, or is upon another image than its own";
  const [kind, what] = !nodes.has("lower-id")
    ? ["lower-missing", "it is missing: the layer that the container lies on"]
    : text === ""
      ? ["lower-missing", "it is empty: the layer that the container lies on"]
      : ["lower-wrong", "it names another layer than the metadata has below the container"];
  yield finding({ kind, severity: "damage", path, what, means, remedy }, whoNeedsDirectory(known, id));
}
