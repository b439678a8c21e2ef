import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isErrno } from "../spec/index.js";
import { WrongUsage } from "./failure.js";
import { write } from "./print.js";

/**
 * Bytes of a file, or of standard input for `-` and undefined.
 *
 * @throws WrongUsage: standard input is a terminal; or what opening the file fails with, before any byte
 */
export async function input(file: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (file === undefined || file === "-") {
    if (process.stdin.isTTY) throw new WrongUsage("nothing to read: give a file, or pipe data to standard input");
    return process.stdin;
  }
  const handle = await open(file, "r");
  return handle.createReadStream({ highWaterMark: 1024 * 1024 });
}

/**
 * Writes a stream to a file, which appears whole or not at all, or to standard output.
 *
 * @throws WrongUsage: standard output is a terminal
 */
export async function output(file: string | undefined, bytes: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
  if (file !== undefined) return await writeFile(file, bytes);
  if (process.stdout.isTTY)
    throw new WrongUsage("refusing to write an archive to a terminal: name a file by -o, or redirect the output");
  for await (const chunk of await bytes()) await write(chunk);
}

async function writeFile(file: string, bytes: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
  const part = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  const target = createWriteStream(part, { flags: "wx", mode: 0o600, highWaterMark: 1024 * 1024 });
  try {
    await pipeline(Readable.from(await bytes(), { objectMode: false }), target);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw isErrno(error, "ENOENT")
      ? new Error(`cannot write ${file}: directory ${dirname(file)} does not exist`)
      : error;
  }
}
