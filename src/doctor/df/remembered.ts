import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeAtomic } from "../../disk/index.js";
import type { Room } from "./room.js";

/** What a part of a root took when it was last counted. */
export interface Remembered extends Room {
  /** Identifies it and its state. */
  readonly stamp: string;
  /** Its files have no names elsewhere. */
  readonly alone: boolean;
}

interface Whose {
  readonly root: string;
  /** Name of the storage driver. */
  readonly driver: string;
}

/**
 * What has been measured of what seldom changes in a root, by its path: in memory, and from one command to the next in
 * a file outside of the root. Nothing depends on it being there.
 */
export class Memory {
  readonly #path: string | undefined;
  readonly #known: Map<string, Remembered>;
  #changed = false;

  /** Of one driver's data in a root, in a file below `directory`; without one, it lasts as long as the process. */
  static of({ root, driver }: Whose, directory: string | undefined): Memory {
    const name = createHash("sha256").update(root).digest("hex").slice(0, 12);
    return new Memory(directory && join(directory, `${name}-${driver}.json`));
  }

  /** @param path of the file */
  constructor(path?: string) {
    this.#path = path;
    this.#known = path === undefined ? new Map() : new Map(Object.entries(read(path)));
  }

  /** @param stamp undefined: it is nothing that lasts */
  get(path: string, stamp: string | undefined): Remembered | undefined {
    const known = stamp === undefined ? undefined : this.#known.get(path);
    return known?.stamp === stamp ? known : undefined;
  }

  set(path: string, remembered: Remembered): void {
    this.#known.set(path, remembered);
    this.#changed = true;
  }

  /**
   * Forgets all else, which is no longer there; and with it what was counted as if those had it, where layers have
   * files of one another.
   */
  keepOnly(paths: ReadonlySet<string>): void {
    const gone = [...this.#known].filter(([path]) => !paths.has(path));
    if (gone.length === 0) return;
    const isEntangled = gone.some(([, { alone }]) => !alone);
    const doubtful = isEntangled ? [...this.#known].filter(([, { alone }]) => !alone) : [];
    for (const [path] of [...gone, ...doubtful]) this.#known.delete(path);
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
  const { stamp, Bytes, Inodes, alone } = (value ?? {}) as Record<string, unknown>;
  return typeof stamp === "string" && Number.isFinite(Bytes) && Number.isFinite(Inodes) && typeof alone === "boolean";
}
