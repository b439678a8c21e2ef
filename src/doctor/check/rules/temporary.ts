import type { Node } from "../../root/fact.js";
import type { Finding, Step } from "../finding.js";
import type { Known } from "../known/known.js";
import { finding } from "../rule.js";

/** Files that were being written, `.tmp-NAMEdigits` beside their places, and what `tmp` holds while nobody works. */
export function* temporary({ state, isLive }: Known): Generator<Finding> {
  // A live daemon is writing some all the time.
  if (isLive) return;
  const { images, layerdb, containers } = state;
  const imagedb = `${images.path}/imagedb`;
  yield* temporaryIn(images.path, images.nodes);
  yield* temporaryIn(`${imagedb}/content/sha256`, nodesOf(images.contents));
  for (const [name, { nodes }] of images.metadata) yield* temporaryIn(`${imagedb}/metadata/sha256/${name}`, nodes);
  for (const [name, { nodes }] of layerdb.layers) yield* temporaryIn(`${layerdb.path}/sha256/${name}`, nodes);
  for (const [name, { nodes }] of layerdb.mounts) yield* temporaryIn(`${layerdb.path}/mounts/${name}`, nodes);
  for (const [name, { nodes }] of containers) yield* temporaryIn(`${state.root}/containers/${name}`, nodes);
  for (const [id, { nodes }] of state.directories) yield* temporaryIn(`${state.home}/${id}`, nodes);
  yield* temporaryIn(state.root, state.top);
  const left = [...state.tmp.keys()].filter((name) => !isNote(name)).map((name) => `tmp/${name}`);
  for (const name of [...left, ...[...state.top.keys()].filter((each) => /^tmp-old\d*$/.test(each))]) {
    const path = `${state.root}/${name}`;
    const [what, means] = ["what an interrupted operation was working with", "nothing: it goes when a daemon starts"];
    yield finding({ kind: "tmp-left", severity: "leftover", path, what, means, remedy: [{ kind: "set-aside", path }] });
  }
}

function nodesOf(entries: ReadonlyMap<string, { readonly node: Node }>): Map<string, Node> {
  return new Map([...entries].map(([name, { node }]) => [name, node]));
}

function* temporaryIn(dir: string, nodes: ReadonlyMap<string, Node>): Generator<Finding> {
  for (const name of nodes.keys()) {
    if (!isTemporary(name)) continue;
    const path = `${dir}/${name}`;
    const remedy: Step[] = [{ kind: "set-aside", path }];
    const [what, means] = ["a file that was being written when its writer ended", "nothing: it only takes room"];
    yield finding({ kind: "file-half-written", severity: "leftover", path, what, means, remedy });
  }
}

export function isTemporary(name: string): boolean {
  return /^\.tmp-.*\d$/s.test(name);
}

/** By these the next opening knows which volumes of an interrupted creation are nobody's. */
export function isNote(name: string): boolean {
  return name.startsWith("volumes-of-");
}
