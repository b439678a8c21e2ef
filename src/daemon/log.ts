import { rfc3339 } from "../spec/index.js";

type Facts = Readonly<Record<string, unknown>>;

/** From the least to the most important. */
const levels = ["trace", "debug", "info", "warning", "error", "fatal", "panic"] as const;

export type LogLevel = (typeof levels)[number];

/** A daemon's diary: one line an entry, `time=… level=… msg=… key=value`, as dockerd writes it. */
export class Log {
  /** Entries of this level and above are written. It can be set at any time. */
  level: LogLevel;
  #write: (line: string) => void;

  constructor({
    level = "info" as LogLevel,
    write = (line: string) => void process.stderr.write(line),
  }: { readonly level?: LogLevel; readonly write?: (line: string) => void } = {}) {
    this.level = level;
    this.#write = write;
  }

  /** Whether `debug` entries are written. */
  get debugging(): boolean {
    return levels.indexOf(this.level) <= levels.indexOf("debug");
  }

  debug(message: string, facts?: Facts): void {
    this.#entry("debug", message, facts);
  }

  info(message: string, facts?: Facts): void {
    this.#entry("info", message, facts);
  }

  warn(message: string, facts?: Facts): void {
    this.#entry("warning", message, facts);
  }

  error(message: string, facts?: Facts): void {
    this.#entry("error", message, facts);
  }

  #entry(level: LogLevel, msg: string, facts: Facts = {}): void {
    if (levels.indexOf(level) < levels.indexOf(this.level)) return;
    const time = rfc3339(BigInt(Date.now()) * 1_000_000n);
    const pairs = Object.entries({ time, level, msg, ...facts }).filter(([, value]) => value !== undefined);
    this.#write(`${pairs.map(([key, value]) => `${key}=${quoted(String(value))}`).join(" ")}\n`);
  }
}

function quoted(value: string): string {
  return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}
