import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { decodeName, isErrno, messageOf } from "../../spec/index.js";
import * as sys from "../../sys/index.js";

/** A small file, as it was found: its text, or why there is none to be had. */
export type Fact = { readonly text: string; readonly mode: number } | { readonly problem: string };

/** Metadata files are not longer; what claims to be is not read into memory. */
const longest = 64 << 20;

/** @returns undefined: there is no such file */
export function readFact(path: string): Fact | undefined {
  try {
    const found = lstatSync(path);
    if (!found.isFile()) return { problem: `it is ${kindOf(found.mode)}, no file` };
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
  /** Identifies what is there and its state: another after any change, of a directory after that of an entry. */
  readonly stamp: string;
}

const stat = new sys.Stat();

/** What is in a directory, by name, in byte-wise order; nothing where there is none. */
export function nodesIn(dir: string): Map<string, Node> {
  const nodes = new Map<string, Node>();
  const fd = openDirectory(dir);
  if (fd === undefined) return nodes;
  try {
    const names = sys.readDirectory(fd).map(({ name }) => name);
    for (const name of names.sort()) if (sys.tryLstatat(fd, name, stat)) nodes.set(name, nodeOf(name));
  } finally {
    sys.close(fd);
  }
  return nodes;
}

function openDirectory(dir: string): number | undefined {
  try {
    return sys.openat(sys.AT_FDCWD, dir, sys.O.O_RDONLY | sys.O.O_DIRECTORY);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** @param path decoded @returns undefined: there is nothing */
export function nodeAt(path: string): Node | undefined {
  return sys.tryLstatat(sys.AT_FDCWD, path, stat) ? nodeOf(basename(path)) : undefined;
}

/** Of what was looked at last. */
function nodeOf(name: string): Node {
  const { mode, uid, gid, size, mtimeMs, stamp } = stat;
  return { name, kind: kindOf(mode), mode: mode & 0o7777, uid, gid, size, mtimeMs, stamp };
}

/** The stamp of what is at a decoded path; `-` where there is nothing. */
export function stampAt(path: string): string {
  return sys.tryLstatat(sys.AT_FDCWD, path, stat) ? stat.stamp : "-";
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

function kindOf(mode: number): NodeKind {
  const type = mode & sys.S.IFMT;
  if (type === sys.S.IFDIR) return "directory";
  if (type === sys.S.IFREG) return "file";
  if (type === sys.S.IFLNK) return "symlink";
  return type === sys.S.IFBLK ? "block" : "other";
}
