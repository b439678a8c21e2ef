import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureDirectory, type Holder, holderOfLock, Locked, lockExclusive } from "../../disk/index.js";
import { Unavailable, Undo } from "../../spec/index.js";

/** Who has a data root open for writing. */
export interface Owner {
  /** Absent when the kernel does not show it, as of a process outside of our container. */
  readonly pid?: number;
  /** Path of the unix socket it serves; absent when it serves none, or none yet. */
  readonly socket?: string;
}

/** A file dockerd does not know; its lock is the ownership. */
const lockFile = "layerkit.lock";
/** Files that a running dockerd has locked; the first for as long as it lives. */
const dockerFiles = ["volumes/metadata.db", "network/files/local-kv.db"];

/** The live owner of a data root; undefined when it is free, or not there. Takes no lock itself. */
export async function ownerOf(root: string): Promise<Owner | undefined> {
  const file = join(root, lockFile);
  const holder = await holderOfLock(file);
  if (!holder) return undefined;
  const told = await readOwner(file);
  // What another process wrote before it died does not count.
  const isHolders = holder.pid === undefined || holder.pid === told.pid;
  return { ...holder, ...(isHolders && told.socket !== undefined && { socket: told.socket }) };
}

/** A running dockerd that serves a data root; undefined when there is none. Of a root that `ownerOf` says is free. */
export async function dockerdOn(root: string): Promise<Holder | undefined> {
  for (const file of dockerFiles) {
    const holder = await holderOfLock(join(root, file));
    if (holder) return holder;
  }
  return undefined;
}

async function readOwner(file: string): Promise<Owner> {
  try {
    const { pid, socket } = JSON.parse(await readFile(file, "utf8"));
    return { ...(typeof pid === "number" && { pid }), ...(typeof socket === "string" && { socket }) };
  } catch {
    return {};
  }
}

/**
 * Sole ownership of a data root, until disposed or the process ends. A dockerd cannot start on the root meanwhile:
 * the lock that it takes first is taken too.
 */
export class Ownership implements AsyncDisposable {
  readonly #file: string;
  readonly #undo: Undo;

  private constructor(file: string, undo: Undo) {
    this.#file = file;
    this.#undo = undo;
  }

  /** @throws Unavailable: another process has it, which is named */
  static async take(root: string): Promise<Ownership> {
    await using failed = new Undo();
    const undo = new Undo();
    failed.defer(() => undo[Symbol.asyncDispose]());
    const file = join(root, lockFile);
    const lock = await lockExclusive(file).catch((error) => Promise.reject(inUse(error, root)));
    undo.defer(() => lock[Symbol.asyncDispose]());
    const docker = await lockOutDocker(root);
    undo.defer(() => docker[Symbol.asyncDispose]());
    const ownership = new Ownership(file, undo);
    await ownership.announce(undefined);
    failed.done();
    return ownership;
  }

  /** Tells where the owner can be reached. The file is written in place: a new one would not be the locked one. */
  async announce(socket: string | undefined): Promise<void> {
    await writeFile(this.#file, `${JSON.stringify({ pid: process.pid, socket })}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]();
  }
}

async function lockOutDocker(root: string): Promise<AsyncDisposable> {
  const [forLife = "", ...others] = dockerFiles;
  await ensureDirectory(join(root, "volumes"), 0o701);
  try {
    for (const other of others) {
      const holder = await holderOfLock(join(root, other));
      if (holder) throw new Locked(join(root, other), holder);
    }
    return await lockExclusive(join(root, forLife));
  } catch (error) {
    if (!(error instanceof Locked)) throw error;
    const who = error.holder.pid === undefined ? "" : ` (process ${error.holder.pid})`;
    const what = "stop it first, or open the root read-only";
    throw new Unavailable(`data root ${root} is served by a running dockerd${who}: ${what}`, { cause: error });
  }
}

function inUse(error: unknown, root: string): unknown {
  if (!(error instanceof Locked)) return error;
  const { pid } = error.holder;
  const who = pid === undefined ? "another process" : pid === process.pid ? "this process" : `process ${pid}`;
  return new Unavailable(`data root ${root} is in use by ${who}: talk to it, or stop it first`, { cause: error });
}
