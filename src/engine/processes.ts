import type { Duplex } from "node:stream";
import type { StatsSample, TopResult, UpdateBody, WaitResult } from "./api-process.js";
import type { AbortOption } from "./images.js";

/**
 * The life of containers: their processes, and what comes out of them. A `name` is as for `Containers`; unknown ones
 * reject with NotFound "No such container: NAME".
 */
export interface Processes {
  /**
   * Resolves when the process runs; false: it ran already.
   *
   * @throws Conflict: paused, or being removed; InvalidParameter: the program is not there or cannot be run; whatever
   * else the runtime says in Docker's words. Of one with AutoRemove nothing is left then.
   */
  start(name: string): Promise<boolean>;
  /** Resolves when the process is gone; false: it did not run. */
  stop(name: string, options?: StopOptions): Promise<boolean>;
  /** Stops it where it runs, and starts it. @throws as `start` */
  restart(name: string, options?: StopOptions): Promise<void>;
  /**
   * @param signal with or without `SIG`, or its number; KILL, or none. After KILL it resolves when the process is gone
   * @throws Conflict: it does not run; InvalidParameter "Invalid signal: FOO"
   */
  kill(name: string, signal?: string): Promise<void>;
  /** @throws Conflict: not running, or paused already */
  pause(name: string): Promise<void>;
  /** @throws Conflict: it is not paused */
  unpause(name: string): Promise<void>;
  /** Resolves as soon as it waits; `ended` settles when the condition is met, or rejects when `signal` fires. */
  wait(name: string, condition?: WaitCondition, options?: AbortOption): Promise<{ ended: Promise<WaitResult> }>;
  /**
   * What the process writes, and its standard input: in wire format, framed unless `tty`. Of a container that does not
   * run, it waits for the next start. Ends when the process has ended and all it wrote has been given. Writing is
   * standard input, and ending the write half its end where the container has `StdinOnce`; destroying detaches.
   *
   * @throws Conflict: it is paused
   */
  attach(name: string, options: AttachOptions): Promise<ProcessStream>;
  /** Sets the size of the terminal; nothing where there is none. @throws Conflict: it does not run */
  resize(name: string, size: TerminalSize): Promise<void>;
  /**
   * What was written, in wire format, framed unless `tty`. Resolves when the log is found, lines come lazily; with
   * `follow` until the container stops.
   *
   * @throws InvalidParameter: neither stream is chosen; NotImplemented: the log driver's logs cannot be read
   */
  logs(name: string, options: LogOptions): Promise<{ tty: boolean; body: AsyncIterable<Uint8Array> }>;
  /** @param psArgs arguments of `ps`: `-ef` unless given. @throws Conflict: it does not run */
  top(name: string, psArgs?: string): Promise<TopResult>;
  /** One object a second, or one alone. Of a container that does not run: zeros. */
  stats(name: string, options?: StatsOptions): Promise<AsyncIterable<StatsSample>>;
  /** Changes resources and the restart policy, of a running container at once. @throws InvalidParameter */
  update(name: string, body: UpdateBody): Promise<{ Warnings: string[] }>;
}

export interface StopOptions {
  /** How long to wait before it is killed; negative: for ever. The container's, else 10, unless given. */
  readonly timeoutS?: number;
  /** In place of the container's own stop signal. */
  readonly signal?: string;
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** What is in the log already comes first. */
  readonly logs?: boolean;
  /** What comes from now on. */
  readonly stream?: boolean;
  /** As `ctrl-p,ctrl-q`, which it is for terminals unless given: typed, it detaches. */
  readonly detachKeys?: string;
}

export interface ProcessStream {
  /** Raw bytes of a terminal; else framed. @see engine-api 2.2 */
  readonly tty: boolean;
  readonly stream: Duplex;
}

export interface TerminalSize {
  readonly height: number;
  readonly width: number;
}

/** Times in nanoseconds since 1970. */
export interface LogOptions extends AbortOption {
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly follow?: boolean;
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
  /** The last so many lines; all unless given. */
  readonly tail?: number;
  readonly timestamps?: boolean;
  /** Labels and variables that the log options name go before each line. */
  readonly details?: boolean;
}

export interface StatsOptions extends AbortOption {
  /** Until the container is removed; else one object, after two samples a second apart. */
  readonly stream?: boolean;
  /** One object at once, without what was before. */
  readonly oneShot?: boolean;
}
