import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { isErrno } from "../../spec/index.js";
import { nodeAt } from "./fact.js";
import type { Unreadable } from "./root-state.js";

/** Those that dockerd 20.10 has, and opens at its start. */
const databases = [
  "volumes/metadata.db",
  "network/files/local-kv.db",
  "buildkit/cache.db",
  "buildkit/containerdmeta.db",
  "buildkit/metadata_v2.db",
  "buildkit/snapshots.db",
  "containerd/daemon/io.containerd.metadata.v1.bolt/meta.db",
];

export function databasesIn(root: string): string[] {
  return databases.map((name) => join(root, name));
}

/** Databases in the root that are none. An empty file is one that bolt has yet to fill. */
export function* readDatabases(root: string): Generator<Unreadable> {
  for (const path of databasesIn(root)) {
    const node = nodeAt(path);
    if (!node || (node.kind === "file" && node.size === 0)) continue;
    if (node.kind !== "file") yield { path, problem: `it is a ${node.kind}, no file` };
    else if (!isBolt(path)) yield { path, problem: "it is no bolt database" };
  }
}

/** bolt's mark stands in the first two pages, after a page header of 16 bytes; one of them has to be good. */
const mark = 0xed0cdaed;
const pageSizes = [4096, 8192, 16384, 65536];

function isBolt(path: string): boolean {
  const start = Buffer.alloc(65536 + 20);
  const length = readStart(path, start);
  if (length < 2 * 4096) return false;
  return [0, ...pageSizes].some((page) => start.readUInt32LE(page + 16) === mark);
}

function readStart(path: string, into: Buffer): number {
  try {
    const file = openSync(path, "r");
    try {
      return readSync(file, into, 0, into.length, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isErrno(error, "ENOENT")) return 0;
    throw error;
  }
}
