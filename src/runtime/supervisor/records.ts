import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Exit, ProcessRef } from "./contract.js";
import { fromLine, keyOf, toLine } from "./protocol.js";

/** What is known of a process, for a supervisor that comes after one that was killed. */
export interface Record extends ProcessRef {
  /** Absent while it is being started. */
  readonly pid?: number;
  readonly startedAtNs?: bigint;
  /** It has ended, and nobody has acknowledged it. */
  readonly exit?: Exit;
  /** Of a container. */
  readonly bundle?: string;
}

/** `processes/` of the run directory: a file for each process that runs or whose exit is not acknowledged. */
export class Records {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = recordsDirectory(directory);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** Path without suffix, for files that live as long as the process is being started. */
  scratch(target: ProcessRef): string {
    return join(this.#directory, keyOf(target));
  }

  /** Whole or not at all; not synced, since the run directory does not outlive the machine. */
  write(record: Record): void {
    const file = this.#file(record);
    writeFileSync(`${file}.new`, toLine(record), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  remove(target: ProcessRef): void {
    rmSync(this.#file(target), { force: true });
  }

  /** All of them; what was being started when the supervisor was killed has left other files, which are deleted. */
  readAll(): Record[] {
    const names = readdirSync(this.#directory);
    const records = names.filter((name) => name.endsWith(suffix));
    for (const name of names) if (!name.endsWith(suffix)) rmSync(join(this.#directory, name), { force: true });
    return records.map((name) => fromLine<Record>(readFileSync(join(this.#directory, name), "utf8")));
  }

  #file(target: ProcessRef): string {
    return this.scratch(target) + suffix;
  }
}

const suffix = ".json";

export function recordsDirectory(directory: string): string {
  return join(directory, "processes");
}
