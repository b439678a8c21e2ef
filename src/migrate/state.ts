import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { removeTree, writeAtomic } from "../disk/index.js";
import { Conflict, DataLoss, isErrno } from "../spec/index.js";

/**
 * How far a migration has come. `filling`: the new driver's directories are being made, and everything is as before.
 * From `switching` on it goes forward alone: renames follow, each of which can be repeated. `switched`: the old
 * driver's directories are kept. `undoing`: they are being put back. `purging` and `undone`: nothing is left to be
 * done but to delete what is kept.
 */
export interface State {
  readonly from: string;
  readonly to: string;
  readonly phase: "filling" | "switching" | "switched" | "undoing" | "undone" | "purging";
  /** When the switch began, in nanoseconds since 1970. */
  readonly switched?: string;
}

/** What lies where while a data root is migrated, and afterwards. */
export class Places {
  readonly root: string;
  /** Everything of a migration: gone when there is none, and none is kept to be undone. */
  readonly base: string;
  /** A data root by itself, with the new driver's directories until the switch. */
  readonly fresh: string;
  /** The directories of the other driver after the switch. */
  readonly old: string;
  readonly #file: string;

  constructor(root: string) {
    this.root = root;
    this.base = join(root, "migration");
    this.fresh = join(this.base, "new");
    this.old = join(this.base, "old");
    this.#file = join(this.base, "state.json");
  }

  /** @throws DataLoss: it cannot be read */
  async state(): Promise<State | undefined> {
    try {
      return JSON.parse(await readFile(this.#file, "utf8")) as State;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw new DataLoss(`${this.#file} cannot be read`, { cause: error });
    }
  }

  /** It outlives a power cut once this resolves. */
  async say(state: State): Promise<void> {
    await writeAtomic(this.#file, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  }

  /** Deletes everything of a migration, what tells of it last. */
  async clear(): Promise<void> {
    for (const dir of ["new", "old", "undone", "containers"]) await removeTree(join(this.base, dir));
    await removeTree(this.base);
  }
}

/** For who opens a data root to work with it. @throws Conflict: a switch of drivers was cut short in it */
export async function assertSettled(root: string): Promise<void> {
  const state = await new Places(root).state();
  if (state?.phase !== "switching" && state?.phase !== "undoing") return;
  const what = state.phase === "undoing" ? "--undo" : `--to ${state.to}`;
  throw new Conflict(`the switch from ${state.from} to ${state.to} was cut short: run layerkit migrate ${what}`);
}
