import { createReadStream, createWriteStream } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { isErrno } from "../../spec/index.js";

/** Docker's name of a file put aside; the youngest is number 1. */
export function rotatedName(path: string, number: number, compress = false): string {
  return `${path}.${number}${compress ? ".gz" : ""}`;
}

/**
 * Puts `path` aside, and those put aside before one number on, so that there are `maxFiles` with a new `path`.
 * @see moby daemon/logger/loggerutils/logfile.go
 */
export async function rotate(path: string, maxFiles: number, compress: boolean): Promise<void> {
  if (maxFiles < 2) return;
  await rm(rotatedName(path, maxFiles - 1, compress), { force: true });
  for (let number = maxFiles - 1; number > 1; number--) {
    await renameIfThere(rotatedName(path, number - 1, compress), rotatedName(path, number, compress));
  }
  await renameIfThere(path, rotatedName(path, 1));
}

/** Compresses the youngest file put aside. */
export async function compressYoungest(path: string): Promise<void> {
  const [plain, compressed] = [rotatedName(path, 1), rotatedName(path, 1, true)];
  const temporary = `${compressed}.tmp`;
  await pipeline(createReadStream(plain), createGzip(), createWriteStream(temporary, { mode: 0o640 }));
  await chmod(temporary, 0o640);
  await rename(temporary, compressed);
  await rm(plain);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}
