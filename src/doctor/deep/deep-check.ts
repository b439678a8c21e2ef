import { join } from "node:path";
import { type ChainID, messageOf, shortID } from "../../spec/index.js";
import { type Difference, type Finding, type How, hows } from "../check/finding.js";
import { type Known, type KnownLayer, know, layerPath, whoNeeds } from "../check/known/known.js";
import { isSpread } from "../check/known/spread.js";
import { finding } from "../check/rule.js";
import { idMapOf, remappedRoot } from "../root/remapped.js";
import type { RootState } from "../root/root-state.js";
import { atOnce, deepThreads } from "./deep-threads.js";
import type { Compared, DeepJob } from "./jobs.js";

export interface DeepOptions {
  readonly signal?: AbortSignal;
  /** Told after each few megabytes of a layer; `total` is the bytes of its files, as the layerdb has them. */
  readonly onBytes?: (layer: ChainID, bytes: number, total: number) => void;
  /** Told after each layer. */
  readonly onLayer?: (layer: ChainID, isWhole: boolean) => void;
}

/** What a comparison of all content has found, and in one line each what could not be compared. */
export interface DeepChecked {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/**
 * Compares every byte of every layer with its DiffID, layers at once as there are processors: content, and of each
 * member of its archive what the file system keeps of it. One finding a layer, whose `files` name what differs. What
 * `check` finds missing is not looked at here.
 */
export async function deepCheck(
  state: RootState,
  { signal, onBytes, onLayer }: DeepOptions = {},
): Promise<DeepChecked> {
  const known = know(state, false);
  const [ids, note] = idsIn(state);
  const all = new Map<ChainID, Compared>();
  const notes = note === undefined ? [] : [note];
  const left = comparable(known).values();
  const worker = async () => {
    for (const layer of left) {
      const job = jobFor(known, layer, ids);
      if (!job) {
        if (isSpreadOut(known, layer)) notes.push(spread(layer));
        continue;
      }
      const tell = (bytes: number) => onBytes?.(layer.chainID, bytes, layer.entry?.diffSize ?? 0);
      const compared = await deepThreads.run<Compared>(job, { signal, onBytes: tell });
      all.set(layer.chainID, compared);
      onLayer?.(layer.chainID, isWhole(compared));
      const { notCompared } = compared;
      if (notCompared)
        notes.push(`layer ${shortID(layer.chainID)}: its bytes are compared, owners and modes are not: ${notCompared}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const findings = [...all].flatMap(([chainID, compared]) => {
    const own = withOwn(compared, pathsBelow(known, all, chainID));
    return toFindings(known, chainID, own);
  });
  return { findings: findings.toSorted((a, b) => (a.path < b.path ? -1 : 1)), notes };
}

function isWhole({ differences, fromBelow, splitProblem }: Compared): boolean {
  return differences.length === 0 && fromBelow.length === 0 && splitProblem === undefined;
}

/** Where a layer below is astray, a tree that is right differs from it. */
function withOwn({ differences, fromBelow, ...rest }: Compared, astray: ReadonlySet<string>): Compared {
  const own = fromBelow.filter(({ path }) => !astray.has(path));
  return { ...rest, differences: [...differences, ...own], fromBelow: [] };
}

function pathsBelow({ layers }: Known, all: ReadonlyMap<ChainID, Compared>, chainID: ChainID): Set<string> {
  const paths = new Set<string>();
  for (let at = layers.get(chainID)?.made?.parent; at; at = layers.get(at)?.made?.parent) {
    const { differences = [], fromBelow = [] } = all.get(at) ?? {};
    for (const { path } of [...differences, ...fromBelow]) paths.add(path);
  }
  return paths;
}

/** Large ones first, so that the last of them is not the longest. */
function comparable(known: Known): KnownLayer[] {
  const layers = [...known.layers.values()].filter(
    ({ entry, made, chainID }) => entry && made && known.needed.has(chainID),
  );
  return layers.toSorted((a, b) => (b.entry?.diffSize ?? 0) - (a.entry?.diffSize ?? 0));
}

function jobFor(known: Known, { chainID, entry, made }: KnownLayer, ids: DeepJob["ids"]): DeepJob | undefined {
  const { state, cacheIDs } = known;
  const id = cacheIDs.get(chainID);
  const split = entry?.nodes.get("tar-split.json.gz");
  const tree = id === undefined ? undefined : treeOf(state, id);
  if (!made || id === undefined || tree === undefined || split?.kind !== "file" || split.size === 0) return undefined;
  const below = made.parent && cacheIDs.get(made.parent);
  const belowTree = state.driver === "overlay2" || below === undefined ? undefined : treeOf(state, below);
  // Without the tree below nothing tells what this one has of it.
  if (made.parent && state.driver !== "overlay2" && belowTree === undefined) return undefined;
  return {
    ...{ tree, split: join(layerPath(known, chainID), "tar-split.json.gz"), diffID: made.diffID },
    ...{ holds: state.driver === "overlay2" ? "own" : "whole", passOver: state.directories.get(id)?.left ?? [] },
    ...(belowTree !== undefined && { below: belowTree }),
    ...(ids && { ids }),
  };
}

/** The layer itself, or the one below. */
function isSpreadOut({ state, cacheIDs }: Known, { chainID, made }: KnownLayer): boolean {
  return [chainID, made?.parent].some((each) => {
    const directory = each && state.directories.get(cacheIDs.get(each) ?? "");
    return directory !== undefined && state.driver === "overlay" && isSpread(directory);
  });
}

function spread({ chainID }: KnownLayer): string {
  return `layer ${shortID(chainID)} is not compared: BuildKit made it, or what it lies on, without a tree of its own`;
}

/** Undefined: it is not there. */
function treeOf({ driver, home, directories }: RootState, id: string): string | undefined {
  const directory = directories.get(id);
  if (driver === "vfs") return directory?.node.kind === "directory" ? join(home, id) : undefined;
  const name = driver === "overlay2" ? "diff" : "root";
  return directory?.nodes.get(name)?.kind === "directory" ? join(home, id, name) : undefined;
}

/** Where nothing says what ids on disk are, they are not compared. */
function idsIn({ root, node }: RootState): [ids: DeepJob["ids"], note?: string] {
  const remapped = remappedRoot(root);
  try {
    if (remapped) return [idMapOf(remapped)];
  } catch (error) {
    return [undefined, `owners of files are not compared: ${messageOf(error)}`];
  }
  const all = [{ first: 0, onDisk: 0, size: 2 ** 32 }];
  if (node.uid === 0 && process.geteuid?.() === 0) return [{ uids: all, gids: all }];
  return [
    undefined,
    "owners of files are not compared: the root is not root's, and nothing says what ids it has for others",
  ];
}

function toFindings(known: Known, chainID: ChainID, { differences, more, splitProblem }: Compared): Finding[] {
  const concerned = whoNeeds(known, [chainID]);
  const remedy = [{ kind: "restore-layer", chainID } as const];
  if (splitProblem !== undefined) {
    const path = join(layerPath(known, chainID), "tar-split.json.gz");
    const means = "images run, and cannot be saved or pushed; whether the layer's files are whole cannot be told";
    return [
      finding({ kind: "layer-split-damaged", severity: "damage", path, what: splitProblem, means, remedy }, concerned),
    ];
  }
  if (differences.length === 0) return [];
  const path = treeOf(known.state, known.cacheIDs.get(chainID)!)!;
  const [kind, severity, means] = verdict(differences);
  const what = `layer ${shortID(chainID)}: ${counted(differences, more)}`;
  const files = { files: differences, ...(more > 0 && { moreFiles: more }) };
  return [finding({ kind, severity, path, what, means, remedy, ...files }, concerned)];
}

function verdict(differences: readonly Difference[]): [kind: string, severity: Finding["severity"], means: string] {
  const has = (...some: How[]) => differences.some(({ how }) => some.includes(how));
  if (has("missing", "content", "type", "undeleted")) {
    return [
      "layer-content-damaged",
      "damage",
      "containers do not see what the image has; it cannot be saved or pushed",
    ];
  }
  if (has("mode", "owner", "capability")) {
    return [
      "layer-metadata-damaged",
      "damage",
      "programs in containers may fail, or get at what they must not; save does not tell it",
    ];
  }
  if (has("extra"))
    return ["layer-files-extra", "damage", "containers see files that the image does not have; save leaves them out"];
  return ["layer-times-changed", "oddity", "nothing but the time of last change is not that of the image"];
}

/** `3 files differ: 2 content, 1 mode` */
function counted(differences: readonly Difference[], more: number): string {
  const kinds = hows.flatMap((how) => {
    const count = differences.filter((each) => each.how === how).length;
    return count === 0 ? [] : `${count} ${how}`;
  });
  const count = differences.length + more;
  return `${count} ${count === 1 ? "difference" : "differences"}: ${kinds.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
