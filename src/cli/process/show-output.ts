import { once } from "node:events";
import { write } from "../print.js";
import { frames } from "./frames.js";

/** Writes what a process wrote to where it wrote it: with a terminal all is standard output. */
export async function showOutput(source: AsyncIterable<Uint8Array>, tty: boolean): Promise<void> {
  if (tty) for await (const chunk of source) await write(chunk);
  else for await (const { stream, bytes } of frames(source)) await (stream === 2 ? writeError(bytes) : write(bytes));
}

async function writeError(bytes: Uint8Array): Promise<void> {
  if (!process.stderr.write(bytes)) await once(process.stderr, "drain");
}
