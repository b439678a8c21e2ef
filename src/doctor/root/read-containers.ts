import { join } from "node:path";
import { messageOf } from "../../spec/index.js";
import { type Fact, type Node, nodesIn, readFact, textOf } from "./fact.js";
import { listed, type Pass } from "./readings.js";
import type { ContainerConfig, ContainerState } from "./root-state.js";

/** @param dir `containers` @param pass only what tells who needs what is read */
export function* readContainers(dir: string, pass: Pass | undefined): Generator<[string, ContainerState]> {
  for (const [name, node] of listed(pass, dir)) {
    const path = join(dir, name);
    yield [name, pass ? brieflyOf(path, node, pass) : containerOf(path, node)];
  }
}

function containerOf(path: string, node: Node): ContainerState {
  const configFact = readFact(join(path, "config.v2.json"));
  const hostConfigFact = readFact(join(path, "hostconfig.json"));
  return {
    ...{ node, nodes: nodesIn(path) },
    ...(hostConfigFact && { hostConfigFact }),
    ...(configFact && { configFact }),
    ...configIn(configFact),
  };
}

function brieflyOf(path: string, node: Node, pass: Pass): ContainerState {
  const file = join(path, "config.v2.json");
  const nodes = pass.of(path, () => nodesIn(path), node.stamp);
  return { node, nodes, ...pass.of(file, () => configIn(readFact(file))) };
}

function configIn(fact: Fact | undefined): { config: ContainerConfig } | { problem: string } {
  if (!fact) return { problem: "it is missing" };
  const text = textOf(fact);
  if (text === undefined) return { problem: "problem" in fact ? fact.problem : "unreadable" };
  if (text.trim() === "") return { problem: "it is empty" };
  try {
    const config: unknown = JSON.parse(text);
    if (config === null || typeof config !== "object") return { problem: "it is no JSON object" };
    return { config };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
