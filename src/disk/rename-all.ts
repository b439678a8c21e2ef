import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { AlreadyExists, isErrno } from "../spec/index.js";
import { syncDirectory } from "./sync.js";

/**
 * Gives directories their names, in this order, all in one directory: after a power cut the first few have them, or
 * all; once this resolves they stay. Their content has to be durable already. On a failure none has its name.
 *
 * @throws AlreadyExists: one of the names is taken
 */
export async function renameAll(pairs: readonly (readonly [from: string, to: string])[]): Promise<void> {
  const done: (readonly [from: string, to: string])[] = [];
  try {
    for (const pair of pairs) {
      await renameDirectory(...pair);
      done.push(pair);
    }
    const [first] = pairs;
    if (first) await syncDirectory(dirname(first[1]));
  } catch (error) {
    // Not acknowledged, so it must not be there.
    for (const [from, to] of done.reverse()) await rename(to, from);
    throw error;
  }
}

async function renameDirectory(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    if (!isErrno(cause, "EEXIST", "ENOTEMPTY", "ENOTDIR")) throw cause;
    throw new AlreadyExists(`${to} is there already`, { cause });
  }
}
