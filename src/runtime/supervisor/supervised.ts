import { setTimeout as delay, setImmediate } from "node:timers/promises";
import type { OutputStream } from "../log/line-encoder.js";
import type { LogPlace, LogWriter } from "../log/writer.js";
import type { ProcessRef, Started, TerminalSize } from "./contract.js";
import type { PreparedStdio, Stdio } from "./stdio.js";
import type { BegunLines, Streams } from "./streams.js";

/** How long the end of a process waits for the end of its output, which others may hold open: dockerd's time. */
const drainMs = 2_000;
/** More than pipes hold. */
const unreadLimit = 4 << 20;

/** A process that runs or has run: its standard streams, its log and its clients. */
export class SupervisedProcess implements Started, BegunLines {
  readonly target: ProcessRef;
  readonly pid: number;
  readonly startedAtNs: bigint;
  readonly #streams: Streams;
  readonly #log: LogWriter | undefined;
  readonly #stdio: Stdio;
  /** Bytes that clients are given whether they read or not: after its end a process waits for nobody. */
  #unconditional = 0;
  #logFull = false;
  /** Nothing is read while there are any. */
  #holds = 0;

  constructor(
    target: ProcessRef,
    started: Started,
    {
      stdio,
      streams,
      log,
      tty,
      inputEnds,
    }: { stdio: PreparedStdio; streams: Streams; log: LogWriter | undefined; tty: boolean; inputEnds: boolean },
  ) {
    this.target = target;
    this.pid = started.pid;
    this.startedAtNs = started.startedAtNs;
    this.#streams = streams;
    this.#log = log;
    this.#stdio = stdio.begin({
      output: (stream, bytes) => {
        if (log && !log.write(stream, bytes)) this.#logFull = true;
        const room = streams.give(stream, bytes) || this.#unconditional > 0;
        this.#unconditional -= bytes.length;
        return room && this.#reads;
      },
      inputDrained: () => streams.inputDrained(),
    });
    streams.begin(tty, this.#stdio.input, inputEnds);
  }

  logDrained(): void {
    this.#logFull = false;
    this.clientsDrained();
  }

  clientsDrained(): void {
    if (this.#reads) for (const output of this.#stdio.outputs) output.resume();
  }

  /** Calls `attach` at a moment when all that has been read is in its log, but for lines whose end has not come. */
  async whenLogged(attach: (place: LogPlace | undefined) => void): Promise<void> {
    this.#holds++;
    try {
      while (this.#log && !this.#log.place) await this.#log.written();
      attach(this.#log?.place);
    } finally {
      this.#holds--;
      this.clientsDrained();
    }
  }

  /** @see BegunLines */
  begun(stream: OutputStream): Buffer {
    return this.#log?.begun(stream) ?? Buffer.alloc(0);
  }

  get #reads(): boolean {
    return !this.#logFull && this.#holds === 0;
  }

  resize(size: TerminalSize): void {
    this.#stdio.terminal?.resize(size);
  }

  /** It has ended: reads what is left, at most for a while, and writes the log to its end. */
  async drain(): Promise<void> {
    this.#unconditional = unreadLimit;
    this.clientsDrained();
    this.#stdio.input?.close();
    this.#stdio.terminal?.close();
    const { outputs } = this.#stdio;
    const over = new AbortController();
    // Who was kept from reading all that time, by fifty starts at once, reads what there is before it is late.
    const late = delay(drainMs, undefined, { signal: over.signal }).then(
      () => setImmediate(),
      () => {},
    );
    await Promise.race([Promise.all(outputs.map(({ ended }) => ended)), late]);
    over.abort();
    for (const output of outputs) output.close();
    await Promise.all(outputs.map(({ ended }) => ended));
    await this.#log?.close();
  }

  endClients(): void {
    this.#streams.end();
  }
}
