import type { Node } from "../../root/fact.js";
import type { Finding, Step } from "../finding.js";
import type { Known } from "../known/known.js";
import { finding } from "../rule.js";

/** What dockerd 20.10 gives, and the widest that it or an older one left on purpose. */
interface Rule {
  readonly path: string;
  readonly node: Node | undefined;
  readonly right: number;
  readonly widest: number;
}

/** Nobody but root looks into the root or writes there; root itself can do all that it has to. */
export function* modes({ state }: Known): Generator<Finding> {
  for (const { path, node, right, widest } of rules(state)) {
    if (!node || node.kind === "symlink") continue;
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

function* rules({
  root,
  node,
  top,
  driver,
  directories,
  home,
  images,
  containers,
  layerdb,
}: Known["state"]): Generator<Rule> {
  const rule = (path: string, found: Node | undefined, right: number, widest = right | 0o1) => ({
    path,
    node: found,
    right,
    widest,
  });
  yield rule(root, node, 0o710, 0o711);
  yield rule(`${root}/${driver}`, top.get(driver), 0o710, 0o711);
  yield rule(`${root}/containers`, top.get("containers"), 0o710, 0o711);
  yield rule(`${root}/image`, top.get("image"), 0o700, 0o711);
  if (driver !== "vfs") {
    for (const [id, { node: each }] of directories)
      if (each.kind === "directory") yield rule(`${home}/${id}`, each, 0o710, 0o711);
  }
  for (const name of ["layerdb", "imagedb"]) yield rule(`${images.path}/${name}`, images.nodes.get(name), 0o700, 0o711);
  yield rule(images.repositories.path, images.nodes.get("repositories.json"), 0o600, 0o644);
  for (const [name, { node: each, nodes }] of containers) {
    if (each.kind !== "directory") continue;
    yield rule(`${root}/containers/${name}`, each, 0o710, 0o711);
    yield rule(`${root}/containers/${name}/config.v2.json`, nodes.get("config.v2.json"), 0o600, 0o644);
    yield rule(`${root}/containers/${name}/hostconfig.json`, nodes.get("hostconfig.json"), 0o644);
  }
  for (const [name, { node: each, nodes }] of layerdb.layers) {
    if (each.kind === "directory") yield rule(`${layerdb.path}/sha256/${name}`, each, 0o700, 0o755);
    for (const [file, found] of nodes) yield rule(`${layerdb.path}/sha256/${name}/${file}`, found, 0o644);
  }
  for (const [name, { node: each }] of images.contents)
    yield rule(`${images.path}/imagedb/content/sha256/${name}`, each, 0o600, 0o644);
}
