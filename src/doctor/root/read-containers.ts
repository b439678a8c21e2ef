import { join } from "node:path";
import { messageOf } from "../../spec/index.js";
import { type Fact, nodesIn, readFact, textOf } from "./fact.js";
import type { ContainerConfig, ContainerState } from "./root-state.js";

/** @param dir `containers` */
export function* readContainers(dir: string, brief: boolean): Generator<[string, ContainerState]> {
  for (const [name, node] of nodesIn(dir)) {
    const path = join(dir, name);
    const configFact = readFact(join(path, "config.v2.json"));
    const hostConfigFact = brief ? undefined : readFact(join(path, "hostconfig.json"));
    const nodes = brief ? new Map() : nodesIn(path);
    const state = { node, nodes, ...(hostConfigFact && { hostConfigFact }) };
    yield [name, { ...state, ...(configFact && { configFact }), ...configIn(configFact) }];
  }
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
