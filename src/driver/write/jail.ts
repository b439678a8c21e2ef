import { isMainThread } from "node:worker_threads";
import { isErrno } from "../../spec/index.js";
import { AT_FDCWD, CLONE, chdir, chroot, close, fchdir, O, openat, unshare } from "../../sys/index.js";
import type { WriteTarget } from "../driver.js";

/** A worker thread confined to a directory; disposed, it is where it was before. */
export interface Jail extends Disposable {
  /** The target as it is to be named inside. */
  readonly target: WriteTarget;
}

let jailed = false;

/** Whether this thread is in a jail. */
export function isJailed(): boolean {
  return jailed;
}

/**
 * Makes `target.root` the root of the calling worker thread: a second wall around `openWriter`. Inside, only
 * synchronous calls are confined, and no module can be loaded. Never to be called on the main thread.
 *
 * @throws SyscallError: EPERM, CAP_SYS_CHROOT is missing
 */
export function jail(target: WriteTarget): Jail {
  if (isMainThread) throw new TypeError("a jail is for a worker thread: on the main thread all of Node would be in it");
  unshare(CLONE.FS);
  const outside = openat(AT_FDCWD, "/", O.O_PATH | O.O_DIRECTORY);
  try {
    enter(target.root);
  } catch (error) {
    close(outside);
    throw error;
  }
  return { target: { ...target, root: "/" }, [Symbol.dispose]: () => leave(outside) };
}

/** The same as far as it is allowed: without CAP_SYS_CHROOT the writer's own wall has to do, and does. */
export function jailIfAllowed(target: WriteTarget): Jail {
  try {
    return jail(target);
  } catch (error) {
    if (!isErrno(error, "EPERM")) throw error;
    return { target, [Symbol.dispose]: () => {} };
  }
}

function enter(root: string): void {
  chdir(root);
  chroot(".");
  jailed = true;
}

/** A process with CAP_SYS_CHROOT leaves by a directory it holds open; nothing a layer contains could do so. */
function leave(outside: number): void {
  fchdir(outside);
  chroot(".");
  close(outside);
  jailed = false;
}
