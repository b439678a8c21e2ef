import type { LogWriter } from "../log/writer.js";
import type { ProcessRef, Started, TerminalSize } from "./contract.js";
import type { PreparedStdio, Stdio } from "./stdio.js";
import type { Streams } from "./streams.js";

/** How long the end of a process waits for the end of its output, which others may hold open: dockerd's time. */
const drainMs = 2_000;
/** More than pipes hold. */
const unreadLimit = 4 << 20;

/** A process that runs or has run: its standard streams, its log and its clients. */
export class SupervisedProcess implements Started {
  readonly target: ProcessRef;
  readonly pid: number;
  readonly startedAtNs: bigint;
  readonly #streams: Streams;
  readonly #log: LogWriter | undefined;
  readonly #stdio: Stdio;
  /** Bytes that clients are given whether they read or not: after its end a process waits for nobody. */
  #unconditional = 0;
  #logFull = false;

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
        return room && !this.#logFull;
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
    if (!this.#logFull) for (const output of this.#stdio.outputs) output.resume();
  }

  /** Resolves when what it has written up to now can be read in its log. */
  async logged(): Promise<void> {
    await this.#log?.written();
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
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([Promise.all(outputs.map(({ ended }) => ended)), late]);
    clearTimeout(timer);
    for (const output of outputs) output.close();
    await Promise.all(outputs.map(({ ended }) => ended));
    await this.#log?.close();
  }

  endClients(): void {
    this.#streams.end();
  }
}
