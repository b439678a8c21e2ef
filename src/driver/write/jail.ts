import { NotImplemented } from "../../spec/index.js";
import type { WriteTarget } from "../driver.js";

/** A worker thread confined to a directory; disposed, it is where it was before. */
export interface Jail extends Disposable {
  /** The target as it is to be named inside. */
  readonly target: WriteTarget;
}

/**
 * Makes `target.root` the root of the calling worker thread: a second wall around `openWriter`. Inside, only
 * synchronous calls are confined, and no module can be loaded. Never to be called on the main thread.
 *
 * @throws SyscallError: EPERM, CAP_SYS_CHROOT is missing
 */
export function jail(_target: WriteTarget): Jail {
  throw new NotImplemented("jail");
}
