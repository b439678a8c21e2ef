import { appendFileSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { mountsBelowReal, removeTree, syncDirectory } from "../../disk/index.js";
import { Conflict, InvalidParameter, isErrno, NotFound } from "../../spec/index.js";
import * as sys from "../../sys/index.js";
import { namesIn } from "../root/fact.js";

/** In a data root: what repairs have taken out of it, until it is purged. */
export const quarantineName = "layerkit-quarantine";

const manifestName = "manifest.jsonl";
const { AT_FDCWD } = sys;

/** A line of a manifest. */
interface Kept {
  /** Where it was, from the data root. */
  readonly path: string;
  /** Where it is, from the directory of the manifest. */
  readonly kept: string;
  readonly why: string;
  readonly when: string;
}

/**
 * Where one repair puts what it removes or replaces: `layerkit-quarantine/TIME`, under the path that it had in the data
 * root. A manifest beside it says what, why and when; it is written first, so that a line without its thing means that
 * the repair was interrupted there.
 */
export class Quarantine {
  /** Absolute; it is made with the first thing. */
  readonly path: string;
  readonly #root: string;
  #count = 0;

  /** @param root absolute, without symlinks */
  constructor(root: string, now = new Date()) {
    this.#root = root;
    const time = now.toISOString().replace(/:/g, "-");
    for (let n = 1; ; n++) {
      this.path = join(root, quarantineName, n === 1 ? time : `${time}.${n}`);
      if (!isThere(this.path)) return;
    }
  }

  /** How many things this repair has put there. */
  get count(): number {
    return this.#count;
  }

  /** Moves it here, whatever it is. What is mounted in it is unmounted first. @param why one line */
  take(path: string, why: string): void {
    for (const mount of mountsBelowReal(path)) sys.umount(mount.path, sys.MNT.DETACH);
    sys.renameat2(AT_FDCWD, path, AT_FDCWD, this.#place(path, why), sys.rename.noReplace);
  }

  /** What is no directory, here as well as where it is: to be replaced there in one step. @throws as `linkat`: EMLINK */
  link(path: string, why: string): void {
    sys.linkat(AT_FDCWD, path, AT_FDCWD, this.#place(path, why));
  }

  /** What has been put here outlives a power cut. */
  async sync(): Promise<void> {
    if (this.#count > 0) await syncDirectory(dirname(this.path));
  }

  /** A free place for it, noted in the manifest. */
  #place(path: string, why: string): string {
    const from = relative(this.#root, path);
    if (from === "" || from.startsWith("..") || from.split("/")[0] === quarantineName) {
      throw new InvalidParameter(`${path} is not to be removed: it is not in the data root, or kept already`);
    }
    let kept = from;
    for (let n = 2; isThere(join(this.path, kept)); n++) kept = `${from}~${n}`;
    makeDirectories(dirname(join(this.path, kept)));
    const line: Kept = { path: from, kept, why, when: new Date().toISOString() };
    appendFileSync(join(this.path, manifestName), `${JSON.stringify(line)}\n`, { mode: 0o600 });
    this.#count++;
    return join(this.path, kept);
  }
}

/** Deletes all that repairs have kept. @returns how many things @throws NotFound: nothing is kept */
export async function purgeQuarantine(root: string): Promise<number> {
  const kept = listKept(root).length;
  const path = join(root, quarantineName);
  if (!isThere(path)) throw new NotFound(`no repair of ${root} has kept anything`);
  await removeTree(path);
  await syncDirectory(root);
  return kept;
}

/**
 * Moves what a repair has removed back to its place, of several the one removed last.
 *
 * @param path as it was, absolute or from the data root
 * @throws NotFound: it is not kept; Conflict: there is something in its place
 */
export async function putBack(root: string, path: string): Promise<void> {
  const wanted = relative(root, resolve(root, path));
  const found = listKept(root).findLast((kept) => kept.path === wanted);
  if (!found) throw new NotFound(`no repair of ${root} has kept ${wanted}`);
  const to = join(root, wanted);
  try {
    makeDirectories(dirname(to));
    sys.renameat2(AT_FDCWD, found.at, AT_FDCWD, to, sys.rename.noReplace);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    throw new Conflict(`there is something at ${to}: move it away, or put ${found.at} where you want it`);
  }
  await syncDirectory(dirname(to));
}

/** All that is kept, in the order in which it was removed. */
export function listKept(root: string): (Kept & { /** Absolute. */ readonly at: string })[] {
  const dir = join(root, quarantineName);
  return namesIn(dir).flatMap((name) =>
    linesIn(join(dir, name, manifestName))
      .map((kept) => ({ ...kept, at: join(dir, name, kept.kept) }))
      .filter(({ at }) => isThere(at)),
  );
}

function linesIn(path: string): Kept[] {
  try {
    return readFileSync(path, "utf8").split("\n").flatMap(parsed);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** Half a line is what an interruption left. */
function parsed(line: string): Kept[] {
  try {
    const { path, kept, why, when } = JSON.parse(line) as Kept;
    return typeof path === "string" && typeof kept === "string" ? [{ path, kept, why, when }] : [];
  } catch {
    return [];
  }
}

/** As `mkdir -p`, for names of any bytes. */
function makeDirectories(path: string): void {
  if (isThere(path)) return;
  makeDirectories(dirname(path));
  sys.mkdirat(AT_FDCWD, path, 0o700);
}

const stat = new sys.Stat();

function isThere(path: string): boolean {
  return sys.tryLstatat(AT_FDCWD, path, stat);
}
