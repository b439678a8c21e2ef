import { readFileSync } from "node:fs";
import { join } from "node:path";
import { maxDocument } from "../../image/index.js";
import { type ChainID, type ImageID, imageIDOf, messageOf, nextChainID, parseImageConfig } from "../../spec/index.js";
import { type Node, nodesIn, readFact, textOf } from "./fact.js";
import { listed, type Pass } from "./readings.js";
import type { ImageEntry, ImageMetadata, Repositories } from "./root-state.js";

const hex = /^[0-9a-f]{64}$/;

/** @param dir `imagedb/content/sha256` */
export function* readContents(dir: string, pass: Pass | undefined): Generator<[string, ImageEntry]> {
  for (const [name, node] of listed(pass, dir)) {
    const path = join(dir, name);
    yield [name, pass ? pass.of(path, () => imageOf(path, node), node.stamp) : imageOf(path, node)];
  }
}

function imageOf(path: string, node: Node): ImageEntry {
  if (!hex.test(node.name)) return { node, chain: [], problem: "its name is no image ID" };
  const id = `sha256:${node.name}` as ImageID;
  const failed = (problem: string) => ({ node, id, chain: [], problem });
  if (node.kind !== "file") return failed(`it is a ${node.kind}, no file`);
  if (node.size === 0) return failed("it is empty");
  if (node.size > maxDocument) return failed(`it has ${node.size} bytes, more than an image config may have`);
  try {
    const bytes = readFileSync(path);
    if (imageIDOf(bytes) !== id) return failed(`its content has the digest ${imageIDOf(bytes)}`);
    const config = parseImageConfig(bytes);
    return { node, id, config, chain: chainOf(config.rootfs.diff_ids) };
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** The ChainIDs of a stack of layers, bottom first. */
export function chainOf(diffIDs: readonly Parameters<typeof nextChainID>[1][]): ChainID[] {
  const chain: ChainID[] = [];
  for (const diffID of diffIDs) chain.push(nextChainID(chain.at(-1), diffID));
  return chain;
}

/** @param dir `imagedb/metadata/sha256` */
export function* readMetadata(dir: string, pass: Pass | undefined): Generator<[string, ImageMetadata]> {
  for (const [name, node] of listed(pass, dir)) {
    if (pass) {
      yield [name, { node, nodes: new Map() }];
      continue;
    }
    const path = join(dir, name);
    const [parent, lastUpdated] = [readFact(join(path, "parent")), readFact(join(path, "lastUpdated"))];
    yield [name, { node, nodes: nodesIn(path), ...(parent && { parent }), ...(lastUpdated && { lastUpdated }) }];
  }
}

export function readRepositories(path: string): Repositories {
  const fact = readFact(path);
  if (!fact) return { path, references: new Map() };
  const text = textOf(fact);
  if (text === undefined) return { path, fact, problem: "problem" in fact ? fact.problem : "unreadable" };
  if (text.trim() === "") return { path, fact, problem: "it is empty" };
  try {
    return { path, fact, references: referencesIn(JSON.parse(text)) };
  } catch (error) {
    return { path, fact, problem: messageOf(error) };
  }
}

function referencesIn(document: unknown): Map<string, string> {
  const { Repositories = {} } = objectIn(document, "it");
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(objectIn(Repositories, "Repositories"))) {
    for (const [ref, id] of Object.entries(objectIn(value ?? {}, `repository ${JSON.stringify(name)}`))) {
      if (typeof id !== "string") throw new Error(`${JSON.stringify(ref)} names no image id`);
      found.set(ref, id);
    }
  }
  return found;
}

function objectIn(value: unknown, what: string): Record<string, unknown> {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} is no JSON object`);
}
