import { closeSync, fstatSync, openSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isErrno } from "../../spec/index.js";
import { tryFlock } from "../../sys/index.js";

/** Files of a run directory, which is short-lived and for one user alone. */
export function runDirectory(directory: string) {
  return {
    /** Where the supervisor is spoken to. */
    socket: join(directory, "supervisor.sock"),
    /** What it has to say about itself. */
    log: join(directory, "supervisor.log"),
    /** An exclusive `flock` as long as it lives. */
    lock: join(directory, "supervisor.lock"),
    /** A file for each process that runs or whose exit is not acknowledged. */
    processes: join(directory, "processes"),
  };
}

/** @returns the locked descriptor; undefined: another serves the directory, or it is not there, or has just been removed */
export function lockRunDirectory(directory: string): number | undefined {
  const { lock: path } = runDirectory(directory);
  const lock = attempt(() => openSync(path, "a", 0o600));
  if (lock === undefined) return undefined;
  // Whoever had it before may have deleted the file meanwhile: then the next to come will make and lock another.
  if (tryFlock(lock, "exclusive") && attempt(() => statSync(path).ino) === fstatSync(lock).ino) return lock;
  closeSync(lock);
  return undefined;
}

/** Removes what nobody needs any more; with anything left in it the directory stays. For who has locked it. */
export function removeRunDirectory(directory: string): void {
  const { log, lock } = runDirectory(directory);
  const parts = ["processes", "containers", "runc", "netns"].map((name) => join(directory, name));
  if (!parts.map(removedIfEmpty).every(Boolean)) return;
  rmSync(log, { force: true });
  const names = attempt(() => readdirSync(directory)) ?? [];
  for (const name of names.filter(isScratch)) rmSync(join(directory, name), { force: true });
  // From here on others may come, and keep the directory.
  rmSync(lock, { force: true });
  removedIfEmpty(directory);
}

/** Files of calls of the runtime, and of terminals, that somebody who was killed had begun. */
function isScratch(name: string): boolean {
  return /^runc-[0-9a-f]{12}\.|^tty\d+$/.test(name);
}

function removedIfEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOTEMPTY", "EEXIST")) return false;
    if (isErrno(error, "ENOENT")) return true;
    throw error;
  }
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
