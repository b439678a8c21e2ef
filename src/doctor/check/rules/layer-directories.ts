import { join } from "node:path";
import type { ChainID } from "../../../spec/index.js";
import { writableTree } from "../../root/read-home.js";
import { ownerOfFiles } from "../../root/remapped.js";
import type { LayerDirectory } from "../../root/root-state.js";
import type { Use } from "../../uses.js";
import type { Finding, Step } from "../finding.js";
import { isDead, isRunning, type Known, whoNeedsDirectory } from "../known/known.js";
import { isSpread } from "../known/spread.js";
import { newDirectory, newTree } from "../new-directory.js";
import { finding } from "../rule.js";

/** Each layer in use has a directory in the home, and in it what its driver needs. */
export function* layerDirectories(known: Known): Generator<Finding> {
  const { state } = known;
  for (const [id, [use]] of known.uses) {
    if (!use || (use.kind === "layer" ? !isWhole(known, use.chainID) : isDead(known, use.name))) continue;
    const directory = state.directories.get(id);
    if (directory?.node.kind === "directory") yield* contents(known, id, use, directory);
    // What has no name any more is made anew with its entry.
    else if (use.kind === "layer" || !known.writables.get(use.name)?.isLost) yield missing(known, id, use, directory);
  }
}

/** Of a layer that is to go, or to be brought as a whole, nothing is missed. */
function isWhole({ layers, needed }: Known, chainID: ChainID): boolean {
  return layers.get(chainID)?.made !== undefined && needed.has(chainID);
}

const lost = "what the container had written is lost: it begins anew, as its image is";

/** overlay: a tree holds all that is below it, so that those above do without. */
function unusable({ state }: Known): string {
  if (state.driver === "overlay2") {
    return "containers of these images do not start; the images can be neither saved nor pushed";
  }
  return "the images can be neither saved nor pushed; containers directly on the layer do not start";
}

function noInit({ state }: Known): string {
  const fails = state.driver === "overlay2" ? "the container does not start" : "docker diff and commit of it fail";
  return `${fails}; nothing the container has written is lost`;
}

function missing(known: Known, id: string, use: Use, inTheWay: LayerDirectory | undefined): Finding {
  const path = `${known.state.home}/${id}`;
  const aside: Step[] = inTheWay ? [{ kind: "set-aside", path }] : [];
  const what = inTheWay
    ? `it is a ${inTheWay.node.kind}, and should be a layer's directory`
    : "a layer's directory is missing";
  const found = { severity: "damage", path } as const;
  if (use.kind === "layer") {
    const remedy: Step[] = [...aside, { kind: "restore-layer", chainID: use.chainID }];
    return finding(
      { ...found, kind: "layer-directory-missing", what, means: unusable(known), remedy },
      whoNeedsDirectory(known, id),
    );
  }
  const remedy = [...aside, ...newDirectory(known, id)];
  const kind = use.kind === "init" ? "init-directory-missing" : "container-directory-missing";
  const means = use.kind === "init" ? noInit(known) : `the container does not start; ${lost}`;
  return finding({ ...found, kind, what, means, remedy }, whoNeedsDirectory(known, id));
}

function* contents(known: Known, id: string, use: Use, directory: LayerDirectory): Generator<Finding> {
  const { driver } = known.state;
  if (driver === "overlay2") yield* ofOverlay2(known, id, use, directory);
  else if (driver === "overlay") yield* ofOverlay(known, id, use, directory);
  const isThere = driver === "vfs" || directory.nodes.get(writableTree(driver))?.kind === "directory";
  if (use.kind === "init" && isThere && directory.isEmpty) yield emptyInit(known, id);
}

function* ofOverlay2(known: Known, id: string, use: Use, directory: LayerDirectory): Generator<Finding> {
  yield* tree(known, id, use, directory, "diff");
  const { nodes } = directory;
  if (known.below.get(id) !== undefined && nodes.get("work")?.kind !== "directory") {
    yield noWork(known, id, use, nodes.has("work"));
  }
  if (known.carrying.has(id) && !nodes.has("committed")) {
    const path = `${known.state.home}/${id}/committed`;
    const remedy: Step[] = [{ kind: "write-file", path, text: "", mode: 0o600 }];
    const what = "the mark is missing that other layers stand on this one";
    const means = "the layer would be mounted writable where it is only read; dockerd does so, too";
    yield finding({ kind: "committed-missing", severity: "oddity", path, what, means, remedy });
  }
}

function* ofOverlay(known: Known, id: string, use: Use, directory: LayerDirectory): Generator<Finding> {
  const { nodes } = directory;
  const isWhole = use.kind === "layer" && !isSpread(directory);
  yield* tree(known, id, use, directory, isWhole ? "root" : "upper");
  if (!isWhole && nodes.get("work")?.kind !== "directory") yield noWork(known, id, use, nodes.has("work"));
  if (!isWhole || !nodes.has("root")) return;
  // Of each layer dockerd first makes a writable one, which goes when its tree is whole.
  for (const name of ["upper", "work", "lower-id"]) {
    if (!nodes.has(name)) continue;
    const path = `${known.state.home}/${id}/${name}`;
    const what = "it belongs to writable layers, and this one is read-only";
    const remedy: Step[] = [{ kind: "set-aside", path }];
    const found = { kind: "layer-left-half", severity: "leftover", path, what } as const;
    yield finding({ ...found, means: "nothing: it only takes room", remedy });
  }
}

function* tree(known: Known, id: string, use: Use, { nodes }: LayerDirectory, name: string): Generator<Finding> {
  const node = nodes.get(name);
  if (node?.kind === "directory") return;
  const path = `${known.state.home}/${id}/${name}`;
  const aside: Step[] = node ? [{ kind: "set-aside", path }] : [];
  const what = node
    ? `it is a ${node.kind}, and should be the directory of a layer's files`
    : "the directory of the layer's files is missing";
  const [means, ...steps] = treeOf(known, id, use);
  const found = { kind: `${name}-missing`, severity: "damage", path, what, means } as const;
  yield finding({ ...found, remedy: [...aside, ...steps] }, whoNeedsDirectory(known, id));
}

function treeOf(known: Known, id: string, use: Use): [means: string, ...steps: Step[]] {
  if (use.kind === "layer") return [unusable(known), { kind: "restore-layer", chainID: use.chainID as ChainID }];
  const means = use.kind === "init" ? noInit(known) : `the container does not start; ${lost}`;
  return [means, ...newTree(known, id)];
}

/** Its files are always there, whatever the image has. */
function emptyInit(known: Known, id: string): Finding {
  const path = join(known.state.home, id, writableTree(known.state.driver));
  const what = "the init layer of a container is empty";
  const means = "docker diff shows the container's mount points as its own files, and a commit has them";
  const found = { kind: "init-empty", severity: "damage", path, what, means } as const;
  return finding({ ...found, remedy: newTree(known, id) }, whoNeedsDirectory(known, id));
}

function noWork(known: Known, id: string, use: Use, isInTheWay: boolean): Finding {
  const path = `${known.state.home}/${id}/work`;
  const aside: Step[] = isInTheWay ? [{ kind: "set-aside", path }] : [];
  const remedy: Step[] = [...aside, { kind: "make-directory", path, mode: 0o700, ...ownerOfFiles(known.state.root) }];
  const what = "the directory is missing that the kernel works in when the layer is mounted writable";
  if (use.kind !== "writable") {
    return finding({
      kind: "work-missing",
      severity: "oddity",
      path,
      what,
      means: "nothing: the layer is only read",
      remedy,
    });
  }
  const means = isRunning(known, use.name) ? "the container will not start again" : "the container does not start";
  return finding({ kind: "work-missing", severity: "damage", path, what, means, remedy }, whoNeedsDirectory(known, id));
}
