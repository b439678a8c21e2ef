import { type ChainID, shortID } from "../../../spec/index.js";
import { type Fact, textOf } from "../../root/fact.js";
import type { LayerEntry } from "../../root/root-state.js";
import type { Finding, Step } from "../finding.js";
import { type Known, type KnownLayer, layerPath, whoNeeds } from "../known/known.js";
import { finding } from "../rule.js";
import { asideWithName } from "../set-aside.js";

/** Each layer's entry in the layerdb says what it is, and images have all their layers there. */
export function* layerEntries(known: Known): Generator<Finding> {
  for (const layer of known.layers.values()) {
    const { entry } = layer;
    if (!entry) yield missing(known, layer);
    else if (entry.node.kind !== "directory" || isEmpty(entry)) yield unreadable(known, layer, entry);
    else if (!layer.made) yield* unknown(known, layer);
    else if (known.needed.has(layer.chainID)) yield* facts(known, layer, entry, layer.made);
  }
  yield* missingParents(known);
}

const imageIsGone = "dockerd does not show these images and cannot run or save them; their containers are not loaded";

function missing(known: Known, layer: KnownLayer): Finding {
  const { chainID } = layer;
  const remedy: Step[] = [...factsAnew(known, layer), { kind: "restore-layer", chainID }];
  const what = `layer ${shortID(chainID)} is not in the layerdb, and images stand on it`;
  const found = { kind: "layer-missing", severity: "damage", path: layerPath(known, chainID) } as const;
  return finding({ ...found, what, means: imageIsGone, remedy }, whoNeeds(known, [chainID]));
}

/** All that an entry says but the archive's frame, for a layer whose directory is known. */
function factsAnew(known: Known, { chainID, made }: KnownLayer): Step[] {
  const [path, cacheID] = [layerPath(known, chainID), known.cacheIDs.get(chainID)];
  if (!made || cacheID === undefined) return [];
  const texts = { diff: made.diffID, "cache-id": cacheID, ...(made.parent && { parent: made.parent }) };
  return [
    { kind: "make-directory", path, mode: 0o700 },
    ...Object.entries(texts).map(
      ([name, text]): Step => ({ kind: "write-file", path: `${path}/${name}`, text, mode: 0o644 }),
    ),
    { kind: "measure-layer", path: `${path}/size`, chainID, cacheID },
  ];
}

/** A container whose image is gone keeps the layers. */
function* missingParents(known: Known): Generator<Finding> {
  for (const { name, entry, parent } of known.writables.values()) {
    if (!entry || !parent || known.layers.has(parent)) continue;
    const remedy: Step[] = [{ kind: "restore-layer", chainID: parent }];
    const what = `layer ${shortID(parent)} is not in the layerdb, and a container stands on it`;
    const found = { kind: "layer-missing", severity: "damage", path: layerPath(known, parent) } as const;
    yield finding({ ...found, what, means: "dockerd does not load the container", remedy }, { containers: [name] });
  }
}

function isEmpty({ facts }: LayerEntry): boolean {
  return !facts.diff && !facts.size && !facts["cache-id"];
}

/** Nothing can be put under its name while it is there. */
function unreadable(known: Known, layer: KnownLayer, { node, nodes }: LayerEntry): Finding {
  const { chainID, images } = layer;
  const path = layerPath(known, chainID);
  const aside: Step = { kind: "set-aside", path };
  const isWanted = images.length > 0 || known.needed.has(chainID);
  const what =
    node.kind !== "directory"
      ? `it is a ${node.kind}, no directory`
      : nodes.size === 0
        ? "it is empty"
        : "it has none of a layer's facts";
  const means = isWanted ? imageIsGone : "an image with this layer cannot be pulled or loaded: its name is taken";
  const remedy: Step[] = isWanted ? [aside, ...factsAnew(known, layer), { kind: "restore-layer", chainID }] : [aside];
  return finding(
    { kind: "layer-entry-damaged", severity: "damage", path, what, means, remedy },
    whoNeeds(known, [chainID]),
  );
}

/** Its `diff` and `parent` do not make its name, and nothing tells what they should be. */
function* unknown(known: Known, { chainID, entry }: KnownLayer): Generator<Finding> {
  const path = layerPath(known, chainID);
  const isWanted = known.needed.has(chainID);
  const said = entry?.diffID
    ? "diff and parent do not make the chain id it is stored under"
    : "its diff is missing or damaged";
  const directory = known.cacheIDs.get(chainID);
  const aside: Step[] = [
    { kind: "set-aside", path },
    ...(directory === undefined ? [] : asideWithName(known, directory)),
  ];
  const remedy: Step[] = isWanted ? [{ kind: "restore-layer", chainID }] : aside;
  const means = isWanted
    ? "containers on it are not loaded"
    : "an image with this layer cannot be pulled or loaded: its name is taken";
  yield finding(
    { kind: "layer-broken", severity: "damage", path, what: said, means, remedy },
    whoNeeds(known, [chainID]),
  );
}

/** An entry whose layer is known, and what of it is wrong. */
interface Judged {
  readonly known: Known;
  readonly chainID: ChainID;
  readonly entry: LayerEntry;
  readonly made: NonNullable<KnownLayer["made"]>;
}

function* facts(known: Known, { chainID }: KnownLayer, entry: LayerEntry, made: Judged["made"]): Generator<Finding> {
  const judged = { known, chainID, entry, made };
  yield* diff(judged);
  yield* parent(judged);
  yield* cacheID(judged);
  yield* size(judged);
  yield* split(judged);
}

type FactName = keyof LayerEntry["facts"];

function damaged({ known, chainID }: Judged, name: FactName, what: string, means: string, remedy: Step): Finding {
  const path = `${layerPath(known, chainID)}/${name}`;
  const found = { kind: `layer-${name}-damaged`, severity: "damage", path, what, means } as const;
  return finding({ ...found, remedy: [remedy] }, whoNeeds(known, [chainID]));
}

function write({ known, chainID }: Judged, name: FactName, text: string): Step {
  return { kind: "write-file", path: `${layerPath(known, chainID)}/${name}`, text, mode: 0o644 };
}

function* diff(judged: Judged): Generator<Finding> {
  const { entry, made } = judged;
  if (entry.diffID === made.diffID) return;
  const what = problem(entry.facts.diff, "another layer's DiffID");
  yield damaged(judged, "diff", what, imageIsGone, write(judged, "diff", made.diffID));
}

function* parent(judged: Judged): Generator<Finding> {
  const { known, chainID, entry, made } = judged;
  if (entry.parent === made.parent) return;
  const what = problem(entry.facts.parent, "another layer than the one below");
  const means = "the image cannot be saved; sizes are wrong, and removing images can take this layer's parent away";
  const aside: Step = { kind: "set-aside", path: `${layerPath(known, chainID)}/parent` };
  yield damaged(judged, "parent", what, means, made.parent ? write(judged, "parent", made.parent) : aside);
}

function* cacheID(judged: Judged): Generator<Finding> {
  const { known, chainID, entry } = judged;
  const right = known.cacheIDs.get(chainID);
  if (entry.cacheID !== undefined && entry.cacheID === right) return;
  const what = problem(entry.facts["cache-id"], "the directory of another layer");
  const remedy: Step = right ? write(judged, "cache-id", right) : { kind: "restore-layer", chainID };
  yield damaged(judged, "cache-id", what, imageIsGone, remedy);
}

function* size(judged: Judged): Generator<Finding> {
  const { known, chainID, entry } = judged;
  const directory = known.cacheIDs.get(chainID);
  if (entry.diffSize !== undefined || directory === undefined) return;
  const digits = /^\s*(\d+)\s*$/.exec(textOf(entry.facts.size) ?? "")?.[1];
  const path = `${layerPath(known, chainID)}/size`;
  const measure: Step = { kind: "measure-layer", path, chainID, cacheID: directory };
  const what = problem(entry.facts.size, "no plain decimal number");
  yield damaged(judged, "size", what, imageIsGone, digits ? write(judged, "size", digits) : measure);
}

function* split({ known, chainID, entry }: Judged): Generator<Finding> {
  const node = entry.nodes.get("tar-split.json.gz");
  if (node?.kind === "file" && node.size > 0) return;
  const path = `${layerPath(known, chainID)}/tar-split.json.gz`;
  const what = node ? "it is empty or no file" : "it is missing";
  const means = "images run, and cannot be saved or pushed: the archive of the layer cannot be put together";
  const found = { kind: "layer-split-missing", severity: "damage", path, what, means } as const;
  yield finding({ ...found, remedy: [{ kind: "restore-layer", chainID }] }, whoNeeds(known, [chainID]));
}

function problem(fact: Fact | undefined, wrong: string): string {
  if (!fact) return "it is missing";
  const text = textOf(fact);
  if (text === undefined) return "it cannot be read";
  return text.trim() === "" ? "it is empty" : `it says ${JSON.stringify(text.slice(0, 80))}: ${wrong}`;
}
