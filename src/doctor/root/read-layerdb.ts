import { join } from "node:path";
import { type ChainID, type Digest, isCacheID, parseDigest } from "../../spec/index.js";
import { type Fact, nodesIn, readFact, textOf } from "./fact.js";
import type { LayerEntry, MountEntry } from "./root-state.js";

/** @param dir `layerdb/sha256` */
export function* readLayers(dir: string, brief: boolean): Generator<[string, LayerEntry]> {
  for (const [name, node] of nodesIn(dir)) {
    const path = join(dir, name);
    const facts = factsIn(path, ["diff", "cache-id", "parent", ...(brief ? [] : (["size"] as const))]);
    const size = textOf(facts.size) ?? "";
    yield [
      name,
      defined<LayerEntry>({
        ...{ node, nodes: brief ? new Map() : nodesIn(path), facts },
        chainID: /^[0-9a-f]{64}$/.test(name) ? (`sha256:${name}` as ChainID) : undefined,
        diffID: digestIn(facts.diff),
        parent: digestIn(facts.parent),
        cacheID: idIn(facts["cache-id"]),
        // Docker trims all facts but this one.
        diffSize: /^\d+$/.test(size) ? Number(size) : undefined,
      }),
    ];
  }
}

/** @param dir `layerdb/mounts` */
export function* readMountEntries(dir: string, brief: boolean): Generator<[string, MountEntry]> {
  for (const [name, node] of nodesIn(dir)) {
    const path = join(dir, name);
    const facts = factsIn(path, ["mount-id", "init-id", "parent"]);
    const [mountID, initID] = [idIn(facts["mount-id"]), idIn(facts["init-id"])];
    const parent = digestIn<ChainID>(facts.parent);
    const nodes = brief ? new Map() : nodesIn(path);
    yield [name, defined<MountEntry>({ node, nodes, facts, mountID, initID, parent })];
  }
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
