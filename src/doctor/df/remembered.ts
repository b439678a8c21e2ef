import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { writeAtomic } from "../../disk/index.js";

/** What a read-only layer's files took when they were last counted. */
export interface Remembered {
  /** Identifies the directory and its state. */
  readonly stamp: string;
  readonly bytes: number;
  readonly inodes: number;
  /** Its files have no names elsewhere. */
  readonly alone: boolean;
}

/**
 * What has been measured of layers, which never change, by the names of their directories: in memory, and from one
 * command to the next in a file outside of the root. Nothing depends on it being there.
 */
export class Memory {
  readonly #path: string | undefined;
  readonly #known: Map<string, Remembered>;
  #changed = false;

  /** @param path of the file; without, it lasts as long as the process */
  constructor(path?: string) {
    this.#path = path;
    this.#known = path === undefined ? new Map() : new Map(Object.entries(read(path)));
  }

  get(name: string, stamp: string): Remembered | undefined {
    const known = this.#known.get(name);
    return known?.stamp === stamp ? known : undefined;
  }

  set(name: string, remembered: Remembered): void {
    this.#known.set(name, remembered);
    this.#changed = true;
  }

  /**
   * Forgets what is no longer there; and with it what was counted as if those had it, where layers have files of one
   * another.
   */
  keepOnly(names: ReadonlySet<string>): void {
    const gone = [...this.#known.keys()].filter((name) => !names.has(name));
    if (gone.length === 0) return;
    const entangled = [...this.#known].filter(([, { alone }]) => !alone).map(([name]) => name);
    for (const name of [...gone, ...entangled]) this.#known.delete(name);
    this.#changed = true;
  }

  /** Whether it could be kept for others: a cache that cannot be written costs time, and nothing else. */
  async save(): Promise<boolean> {
    if (!this.#changed || this.#path === undefined) return true;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeAtomic(this.#path, JSON.stringify(Object.fromEntries(this.#known)), { mode: 0o600 });
      this.#changed = false;
      return true;
    } catch {
      return false;
    }
  }
}

function read(path: string): Record<string, Remembered> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Object.fromEntries(Object.entries(value ?? {}).filter(([, each]) => isRemembered(each)));
  } catch {
    return {};
  }
}

function isRemembered(value: unknown): value is Remembered {
  const { stamp, bytes, inodes, alone } = (value ?? {}) as Record<string, unknown>;
  return typeof stamp === "string" && Number.isFinite(bytes) && Number.isFinite(inodes) && typeof alone === "boolean";
}
