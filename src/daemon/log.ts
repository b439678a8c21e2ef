import { rfc3339 } from "../spec/index.js";

type Facts = Readonly<Record<string, unknown>>;

/** A daemon's diary: one line an entry, `time=… level=… msg=… key=value`, as dockerd writes it. */
export class Log {
  /** Whether `debug` entries are written. */
  readonly debugging: boolean;
  #write: (line: string) => void;

  constructor({ debug = false, write = (line: string) => void process.stderr.write(line) } = {}) {
    this.debugging = debug;
    this.#write = write;
  }

  debug(message: string, facts?: Facts): void {
    if (this.debugging) this.#entry("debug", message, facts);
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

  #entry(level: string, msg: string, facts: Facts = {}): void {
    const time = rfc3339(BigInt(Date.now()) * 1_000_000n);
    const pairs = Object.entries({ time, level, msg, ...facts }).filter(([, value]) => value !== undefined);
    this.#write(`${pairs.map(([key, value]) => `${key}=${quoted(String(value))}`).join(" ")}\n`);
  }
}

function quoted(value: string): string {
  return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}
