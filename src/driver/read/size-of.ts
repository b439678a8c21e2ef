import type { SyncChange } from "../../overlayfs/index.js";
import { encodeName } from "../../spec/index.js";
import { paced } from "./paced.js";

/** Bytes of the files and link targets among changes, each inode once; no body is read. */
export async function sizeOf(changes: Iterable<SyncChange>): Promise<number> {
  let size = 0;
  for await (const change of paced(changes)) {
    if (change.kind === "file") size += change.size;
    else if (change.kind === "symlink") size += encodeName(change.target).length;
  }
  return size;
}
