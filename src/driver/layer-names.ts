import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type CacheID, InvalidParameter, isErrno } from "../spec/index.js";

/** The layer's directory. @throws InvalidParameter: an id that would lead elsewhere */
export function pathOfLayer(home: string, id: CacheID): string {
  if (!/^[0-9a-zA-Z][\w.-]+$/.test(id)) throw new InvalidParameter(`invalid layer id ${JSON.stringify(id)}`);
  return join(home, id);
}

export async function pathExists(path: string): Promise<boolean> {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** For `catch`: what is not there is undefined. */
export function ifMissing(error: unknown): undefined {
  if (isErrno(error, "ENOENT")) return undefined;
  throw error;
}
