import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "../../engine/index.js";
import { InvalidParameter, messageOf, Unavailable } from "../../spec/index.js";

/** An engine on a temporary data root; disposing closes the one and removes the other. */
export interface Place extends AsyncDisposable {
  readonly engine: Engine;
  /** Why the driver is `vfs`; absent when it is `overlay2`. */
  readonly withoutOverlay?: string;
}

/**
 * Opens an engine with `overlay2` where that works: the temporary directory may lie on a file system that overlayfs
 * does not take as its upper one, memory mostly does. With `vfs` where nothing else goes.
 */
export async function openPlace(mayMount: boolean, driver = "overlay2"): Promise<Place> {
  if (driver === "overlay") throw new InvalidParameter("the tour shows overlay2 or vfs: it has no pages for overlay");
  let reason = mayMount ? "" : "this user may not mount, and gets no user namespace here";
  if (driver === "vfs") reason ||= "vfs was asked for";
  for (const parent of reason === "" ? [...new Set([tmpdir(), "/dev/shm", "/var/tmp"])] : []) {
    try {
      return await open(parent, driver);
    } catch (error) {
      if (!(error instanceof Unavailable || error instanceof InvalidParameter)) throw error;
      reason ||= messageOf(error);
    }
  }
  return { ...(await open(tmpdir(), "vfs")), withoutOverlay: reason };
}

async function open(parent: string, driver: string): Promise<Place> {
  const root = await mkdtemp(join(parent, "layerkit-tour-"));
  const remove = () => rm(root, { recursive: true, force: true, maxRetries: 3 });
  try {
    const engine = await Engine.open({ root, driver, report: () => {} });
    return {
      engine,
      [Symbol.asyncDispose]: async () => {
        await engine[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
