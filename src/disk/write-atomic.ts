import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Undo } from "../spec/index.js";
import { naming } from "./naming.js";
import { syncDirectory } from "./sync.js";
import { temporaryName } from "./temporary.js";

export interface AtomicOptions {
  /** Permission bits of the file, whatever the umask; 0644 when left out. */
  readonly mode?: number;
}

/**
 * Replaces `file`, or makes it: readers find the old content or the new, also after a power cut at any instant. It
 * outlives a power cut once this resolves. A process killed meanwhile leaves a `.tmp-…` beside it: `sweepTemporary`.
 */
export async function writeAtomic(
  file: string,
  data: Uint8Array | string,
  { mode = 0o644 }: AtomicOptions = {},
): Promise<void> {
  await using undo = new Undo();
  const dir = dirname(file);
  const temporary = join(dir, temporaryName(basename(file)));
  const handle = await open(temporary, "wx", 0o600);
  undo.defer(() => rm(temporary, { force: true }));
  try {
    await naming(file, async () => {
      await handle.writeFile(data);
      await handle.chmod(mode);
      await handle.sync();
    });
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  undo.done();
  await syncDirectory(dir);
}
