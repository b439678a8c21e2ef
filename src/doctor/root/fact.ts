import { lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { basename, join } from "node:path";
import { decodeName, encodeName, isErrno, messageOf } from "../../spec/index.js";

/** A small file, as it was found: its text, or why there is none to be had. */
export type Fact = { readonly text: string; readonly mode: number } | { readonly problem: string };

/** Metadata files are not longer; what claims to be is not read into memory. */
const longest = 64 << 20;

/** @returns undefined: there is no such file */
export function readFact(path: string): Fact | undefined {
  try {
    const found = lstatSync(path);
    if (!found.isFile()) return { problem: `it is ${kindOf(found)}, no file` };
    if (found.size > longest) return { problem: `it has ${found.size} bytes` };
    return { text: readFileSync(path, "utf8"), mode: found.mode & 0o7777 };
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    return { problem: messageOf(error) };
  }
}

/** The text of a fact that has one. */
export function textOf(fact: Fact | undefined): string | undefined {
  return fact && "text" in fact ? fact.text : undefined;
}

export type NodeKind = "directory" | "file" | "symlink" | "block" | "other";

/** A name in a directory and what it is of. */
export interface Node {
  /** As spec's `decodeName` gives it. */
  readonly name: string;
  readonly kind: NodeKind;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
}

/** What is in a directory, by name, in byte-wise order; nothing where there is none. */
export function nodesIn(dir: string): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const name of namesIn(dir)) {
    const node = nodeAt(join(dir, name));
    if (node) nodes.set(name, node);
  }
  return nodes;
}

/** @param path decoded @returns undefined: there is nothing */
export function nodeAt(path: string): Node | undefined {
  const found = lstatSync(encodeName(path), { throwIfNoEntry: false });
  if (!found) return undefined;
  const { mode, uid, gid, size, mtimeMs } = found;
  return { name: basename(path), kind: kindOf(found), mode: mode & 0o7777, uid, gid, size, mtimeMs };
}

/** Names in a directory, sorted; none where there is no directory. */
export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir, { encoding: "buffer" }).map(decodeName).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

function kindOf(found: Stats): NodeKind {
  if (found.isDirectory()) return "directory";
  if (found.isFile()) return "file";
  if (found.isSymbolicLink()) return "symlink";
  return found.isBlockDevice() ? "block" : "other";
}
