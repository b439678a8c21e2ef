import { join } from "node:path";
import { type ChainID, type Digest, isCacheID, parseDigest } from "../../spec/index.js";
import { type Fact, type Node, nodesIn, readFact, textOf } from "./fact.js";
import { listed, type Pass } from "./readings.js";
import type { LayerEntry, MountEntry } from "./root-state.js";

/** @param dir `layerdb/sha256` @param pass only what tells who needs what is read */
export function* readLayers(dir: string, pass: Pass | undefined): Generator<[string, LayerEntry]> {
  for (const [name, node] of listed(pass, dir)) {
    const path = join(dir, name);
    const entry = pass
      ? pass.of(path, () => layerOf(node, new Map(), factsIn(path, [...pointers])), node.stamp)
      : layerOf(node, nodesIn(path), factsIn(path, [...pointers, "size"]));
    yield [name, entry];
  }
}

const pointers = ["diff", "cache-id", "parent"] as const;

function layerOf(node: Node, nodes: LayerEntry["nodes"], facts: LayerEntry["facts"]): LayerEntry {
  const size = textOf(facts.size) ?? "";
  return defined<LayerEntry>({
    ...{ node, nodes, facts },
    chainID: /^[0-9a-f]{64}$/.test(node.name) ? (`sha256:${node.name}` as ChainID) : undefined,
    diffID: digestIn(facts.diff),
    parent: digestIn(facts.parent),
    cacheID: idIn(facts["cache-id"]),
    // Docker trims all facts but this one.
    diffSize: /^\d+$/.test(size) ? Number(size) : undefined,
  });
}

/** @param dir `layerdb/mounts` @param pass only what tells who needs what is read */
export function* readMountEntries(dir: string, pass: Pass | undefined): Generator<[string, MountEntry]> {
  for (const [name, node] of listed(pass, dir)) {
    const path = join(dir, name);
    yield [
      name,
      pass ? pass.of(path, () => mountOf(path, node, new Map()), node.stamp) : mountOf(path, node, nodesIn(path)),
    ];
  }
}

function mountOf(path: string, node: Node, nodes: MountEntry["nodes"]): MountEntry {
  const facts = factsIn(path, ["mount-id", "init-id", "parent"]);
  const [mountID, initID] = [idIn(facts["mount-id"]), idIn(facts["init-id"])];
  return defined<MountEntry>({ node, nodes, facts, mountID, initID, parent: digestIn<ChainID>(facts.parent) });
}

function factsIn<Name extends string>(dir: string, names: readonly Name[]): { [name in Name]?: Fact } {
  const facts: { [name in Name]?: Fact } = {};
  for (const name of names) {
    const fact = readFact(join(dir, name));
    if (fact) facts[name] = fact;
  }
  return facts;
}

function idIn(fact: Fact | undefined): string | undefined {
  const id = textOf(fact)?.trim() ?? "";
  return isCacheID(id) ? id : undefined;
}

function digestIn<D extends Digest>(fact: Fact | undefined): D | undefined {
  try {
    return parseDigest<D>(textOf(fact) ?? "");
  } catch {
    return undefined;
  }
}

type Loose<T> = { [key in keyof T]: T[key] | undefined };

/** Leaves out what is undefined. */
function defined<T>(value: Loose<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
