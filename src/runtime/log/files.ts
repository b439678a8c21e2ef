import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { isErrno } from "../../spec/index.js";
import { rotatedName } from "./rotate.js";

/** A file of a log as it was when it was opened. */
export interface LogFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
  readonly size: number;
  /** Of its last line, or later. */
  readonly mtimeNs: bigint;
}

/** @returns undefined: there is none */
export async function openLogFile(path: string): Promise<LogFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
  const { ino: inode, size, mtimeNs } = await handle.stat({ bigint: true });
  return { handle, inode, size: Number(size), mtimeNs };
}

/**
 * The files of a log, oldest first, all open: the caller closes them. They are opened from the youngest on, so that one
 * that is put aside meanwhile comes twice, and is left out, and none is missed.
 */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  const add = async (file: LogFile) => {
    if (files.some(({ inode }) => inode === file.inode)) await file.handle.close();
    else files.unshift(file);
  };
  const current = await openLogFile(path);
  if (current) await add(current);
  for (let number = 1; ; number++) {
    const file =
      (await openLogFile(rotatedName(path, number))) ?? (await openCompressed(rotatedName(path, number, true)));
    if (!file) return files;
    await add(file);
  }
}

/** What was compressed, in a file that nobody else sees; beside it, where there is room for logs. */
async function openCompressed(path: string): Promise<LogFile | undefined> {
  const compressed = await openLogFile(path);
  if (!compressed) return undefined;
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await pipeline(
      compressed.handle.createReadStream(),
      createGunzip(),
      createWriteStream(temporary, { flags: "wx", mode: 0o600 }),
    );
    const plain = await openLogFile(temporary);
    return plain && { ...plain, mtimeNs: compressed.mtimeNs };
  } finally {
    await rm(temporary, { force: true });
  }
}
