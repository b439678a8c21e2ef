import type { Node } from "../../root/fact.js";
import type { Finding, Step } from "../finding.js";
import type { Known } from "../known/known.js";
import { finding } from "../rule.js";

type State = Known["state"];

/** What dockerd 20.10 gives, and the widest that it or an older one left on purpose. */
interface Rule {
  readonly path: string;
  readonly node: Node | undefined;
  readonly right: number;
  readonly widest: number;
}

/** Nobody but root looks into the root or writes there; root itself can do all that it has to. */
export function* modes(known: Known): Generator<Finding> {
  for (const { path, node, right, widest } of rules(known)) {
    // What else is in its place is found for that.
    if (node?.kind !== ((right & 0o100) === 0 ? "file" : "directory")) continue;
    const isNarrow = node.kind === "directory" && (node.mode & 0o700) !== 0o700;
    if ((node.mode & ~widest) === 0 && !isNarrow) continue;
    const remedy: Step[] = [{ kind: "set-mode", path, mode: right }];
    const what = `its mode is 0${node.mode.toString(8)}, and should be 0${right.toString(8)}`;
    const means = isNarrow
      ? "containers cannot get at their files unless root in all respects"
      : "users of the machine who are not root can see or change what is in images and containers";
    yield finding({ kind: "mode-wrong", severity: "damage", path, what, means, remedy });
  }
}

function* rules(known: Known): Generator<Rule> {
  yield* ofRoot(known.state);
  yield* ofHome(known);
  yield* ofImages(known.state);
  yield* ofContainers(known.state);
}

/** Old ones gave search to all; who remaps users needs it. */
const searched = { right: 0o710, widest: 0o711 };
const closed = { right: 0o700, widest: 0o711 };
/** Nothing secret: closed by the directories above. */
const plain = { right: 0o644, widest: 0o645 };
const secret = { right: 0o600, widest: 0o644 };

function* ofRoot({ root, node, top, driver }: State): Generator<Rule> {
  yield { path: root, node, ...searched };
  for (const name of [driver, "containers"]) yield { path: `${root}/${name}`, node: top.get(name), ...searched };
  yield { path: `${root}/image`, node: top.get("image"), ...closed };
}

/** vfs: a layer's directory is its tree, whose mode is the image's affair. */
function* ofHome({ state: { home, driver, directories }, uses }: Known): Generator<Rule> {
  if (driver === "vfs") return;
  for (const [id, { node }] of directories) {
    if (uses.has(id) && node.kind === "directory") yield { path: `${home}/${id}`, node, ...searched };
  }
}

function* ofImages({ images, layerdb }: State): Generator<Rule> {
  for (const name of ["layerdb", "imagedb"]) {
    yield { path: `${images.path}/${name}`, node: images.nodes.get(name), ...closed };
  }
  yield { path: images.repositories.path, node: images.nodes.get("repositories.json"), ...secret };
  for (const [name, { node }] of images.contents) {
    yield { path: `${images.path}/imagedb/content/sha256/${name}`, node, ...secret };
  }
  for (const [name, { node, nodes }] of layerdb.layers) {
    const path = `${layerdb.path}/sha256/${name}`;
    yield { path, node, right: 0o700, widest: 0o755 };
    for (const [file, found] of nodes) yield { path: `${path}/${file}`, node: found, ...plain };
  }
}

function* ofContainers({ root, containers }: State): Generator<Rule> {
  for (const [name, { node, nodes }] of containers) {
    const path = `${root}/containers/${name}`;
    if (node.kind !== "directory") continue;
    yield { path, node, ...searched };
    yield { path: `${path}/config.v2.json`, node: nodes.get("config.v2.json"), ...secret };
    yield { path: `${path}/hostconfig.json`, node: nodes.get("hostconfig.json"), ...plain };
  }
}
