import { dirname, join } from "node:path";
import { ensureDirectory, syncDirectory, writeAtomic } from "../../disk/index.js";
import { isErrno, randomID } from "../../spec/index.js";
import * as sys from "../../sys/index.js";
import type { Step } from "../check/finding.js";
import { measureLayer } from "./measure-layer.js";
import type { Quarantine } from "./quarantine.js";

/** Steps that need nothing but a path. */
export type PlainStep = Exclude<Step, { readonly kind: Elsewhere }>;
type Elsewhere = "begin-layer" | "restore-names" | "restore-image" | "restore-layer";

export function isPlain(step: Step): step is PlainStep {
  return !["begin-layer", "restore-names", "restore-image", "restore-layer"].includes(step.kind);
}

/**
 * Does one step; done again it changes nothing more. What it replaces appears whole or not at all.
 *
 * @param why for the quarantine: what was found
 */
export async function doStep(step: PlainStep, quarantine: Quarantine, why: string): Promise<void> {
  switch (step.kind) {
    case "make-directory":
      if ((typeAt(step.path) ?? sys.S.IFDIR) !== sys.S.IFDIR) quarantine.take(step.path, why);
      return await ensureDirectory(step.path, step.mode, step.owner);
    case "write-file":
      await ensureParent(step.path);
      keepOld(step.path, quarantine, why);
      return await writeAtomic(step.path, step.text, { mode: step.mode });
    case "make-link":
      await ensureParent(step.path);
      keepOld(step.path, quarantine, why);
      return await makeLink(step.path, step.target);
    case "set-mode":
      return setMode(step.path, step.mode);
    case "unmount":
      return unmountAt(step.path);
    case "remove-directory":
      return removeEmpty(step.path);
    case "set-aside":
      return setAside(step.path, quarantine, why);
    case "measure-layer":
      keepOld(step.path, quarantine, why);
      return await measureLayer(step.path);
  }
}

async function ensureParent(path: string): Promise<void> {
  const dir = dirname(path);
  if (typeAt(dir) === undefined) await ensureDirectory(dir, 0o700);
}

/** What is replaced is kept; what cannot be replaced by a file or link, since it is a directory, is set aside. */
function keepOld(path: string, quarantine: Quarantine, why: string): void {
  const type = typeAt(path);
  if (type === sys.S.IFDIR) quarantine.take(path, why);
  else if (type !== undefined) quarantine.link(path, why);
}

/** The type bits of what is there; undefined: nothing is. */
function typeAt(path: string): number | undefined {
  const found = new sys.Stat();
  return sys.tryLstatat(sys.AT_FDCWD, path, found) ? found.mode & sys.S.IFMT : undefined;
}

async function makeLink(path: string, target: string): Promise<void> {
  const temporary = join(dirname(path), `.tmp-link${randomID().slice(0, 12)}`);
  sys.symlinkat(target, sys.AT_FDCWD, temporary);
  sys.renameat2(sys.AT_FDCWD, temporary, sys.AT_FDCWD, path);
  await syncDirectory(dirname(path));
}

/** Follows no symlink. */
function setMode(path: string, mode: number): void {
  const fd = sys.openat(sys.AT_FDCWD, path, sys.O.O_RDONLY | sys.O.O_NOFOLLOW | sys.O.O_NONBLOCK);
  try {
    sys.fchmod(fd, mode);
  } finally {
    sys.close(fd);
  }
}

function unmountAt(path: string): void {
  try {
    sys.umount(path, sys.MNT.DETACH);
  } catch (error) {
    // Not mounted any more, or gone with its directory.
    if (!isErrno(error, "EINVAL", "ENOENT")) throw error;
  }
}

function removeEmpty(path: string): void {
  try {
    sys.unlinkat(sys.AT_FDCWD, path, sys.AT_REMOVEDIR);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}

/** Nothing there is what was wanted. */
function setAside(path: string, quarantine: Quarantine, why: string): void {
  if (typeAt(path) !== undefined) quarantine.take(path, why);
}
