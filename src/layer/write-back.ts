import { syncFileSystem } from "../disk/index.js";

/** A layer with less content than this is written out by the sync that makes it durable soon enough. */
const worthIt = 8 << 20;

let running: Promise<void> | undefined;

/**
 * Has what was unpacked written out while the next layer is being unpacked: the sync that makes an image durable finds
 * less to do. One at a time: each takes a thread that inflates otherwise.
 *
 * @param size bytes of content
 * @returns resolves when the file system is not in use for this any more; what fails here fails there
 */
export async function writeBack(dir: string, size: number): Promise<void> {
  if (size < worthIt) return;
  running ??= syncFileSystem(dir)
    .catch(() => undefined)
    .finally(() => {
      running = undefined;
    });
  await running;
}
