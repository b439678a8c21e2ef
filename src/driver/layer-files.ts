import { chmodSync, closeSync, fchmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { naming } from "../disk/index.js";
import { ifMissing } from "./layer-names.js";

// A container's directories are made in some dozen short calls: each would take several times as long in another thread.

/** A directory with this mode whatever the umask. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  mkdirSync(path);
  chmodSync(path, mode);
}

/** A new file with this mode whatever the umask. */
export async function makeFile(path: string, data: string, mode: number): Promise<void> {
  const fd = openSync(path, "wx", mode);
  try {
    await naming(path, async () => writeFileSync(fd, data));
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

/** The text of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return ifMissing(error);
  }
}
