import { shortID } from "../../../spec/index.js";
import { type Fact, textOf } from "../../root/fact.js";
import type { LayerEntry } from "../../root/root-state.js";
import type { Finding, Step } from "../finding.js";
import { type Known, type KnownLayer, layerPath, whoNeeds } from "../known/known.js";
import { finding } from "../rule.js";

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
  const remedy: Step[] = isWanted
    ? [{ kind: "restore-layer", chainID }]
    : [
        ...[path, ...(directory ? [`${known.state.home}/${directory}`] : [])].map(
          (each): Step => ({ kind: "set-aside", path: each }),
        ),
      ];
  const means = isWanted
    ? "containers on it are not loaded"
    : "an image with this layer cannot be pulled or loaded: its name is taken";
  yield finding(
    { kind: "layer-broken", severity: "damage", path, what: said, means, remedy },
    whoNeeds(known, [chainID]),
  );
}

function* facts(
  known: Known,
  { chainID }: KnownLayer,
  entry: LayerEntry,
  made: NonNullable<KnownLayer["made"]>,
): Generator<Finding> {
  const path = layerPath(known, chainID);
  const { facts, nodes } = entry;
  const concerned = whoNeeds(known, [chainID]);
  const damaged = (name: string, what: string, means: string, remedy: Step[]) =>
    finding(
      { kind: `layer-${name}-damaged`, severity: "damage", path: `${path}/${name}`, what, means, remedy },
      concerned,
    );
  const write = (name: string, text: string): Step => ({
    kind: "write-file",
    path: `${path}/${name}`,
    text,
    mode: 0o644,
  });

  if (entry.diffID !== made.diffID) {
    yield damaged("diff", `${problem(facts.diff, "another layer's DiffID")}`, imageIsGone, [
      write("diff", made.diffID),
    ]);
  }
  if (entry.parent !== made.parent) {
    const right: Step = made.parent ? write("parent", made.parent) : { kind: "set-aside", path: `${path}/parent` };
    yield damaged(
      "parent",
      problem(facts.parent, "another layer than the one below"),
      "the image cannot be saved; sizes are wrong, and removing images can take this layer's parent away",
      [right],
    );
  }
  const cacheID = known.cacheIDs.get(chainID);
  if (entry.cacheID === undefined || entry.cacheID !== cacheID) {
    const remedy: Step = cacheID ? write("cache-id", cacheID) : { kind: "restore-layer", chainID };
    yield damaged("cache-id", problem(facts["cache-id"], "the directory of another layer"), imageIsGone, [remedy]);
  }
  if (entry.diffSize === undefined && cacheID) {
    const digits = /^\s*(\d+)\s*$/.exec(textOf(facts.size) ?? "")?.[1];
    const remedy: Step = digits
      ? write("size", digits)
      : { kind: "measure-layer", path: `${path}/size`, chainID, cacheID };
    yield damaged("size", problem(facts.size, "no plain decimal number"), imageIsGone, [remedy]);
  }
  const split = nodes.get("tar-split.json.gz");
  if (split?.kind !== "file" || split.size === 0) {
    const found = { kind: "layer-split-missing", severity: "damage", path: `${path}/tar-split.json.gz` } as const;
    const what = split ? "it is empty or no file" : "it is missing";
    const means = "images run, and cannot be saved or pushed: the archive of the layer cannot be put together";
    yield finding({ ...found, what, means, remedy: [{ kind: "restore-layer", chainID }] }, concerned);
  }
}

function problem(fact: Fact | undefined, wrong: string): string {
  if (!fact) return "it is missing";
  const text = textOf(fact);
  if (text === undefined) return "it cannot be read";
  return text.trim() === "" ? "it is empty" : `it says ${JSON.stringify(text.slice(0, 80))}: ${wrong}`;
}
