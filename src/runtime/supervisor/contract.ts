import type { Duplex } from "node:stream";
import type { LogPlace } from "../log/writer.js";
import type { OCIProcess } from "../spec/oci.js";

/** A container's first process; with an `execID`, one that was added to it. */
export interface ProcessRef {
  readonly id: string;
  readonly execID?: string;
}

/** Where the output of a container is written as it comes, in Docker's json-file form. */
export interface LogTarget {
  /** Absolute; made when absent, appended to otherwise. */
  readonly path: string;
  /** Bytes after which the next line begins a new file; never when left out. */
  readonly maxSize?: number;
  /** How many files there may be in all, 1 when left out: then the file is emptied when it is full. */
  readonly maxFiles?: number;
  /** Files put aside are compressed: `.1.gz`. */
  readonly compress?: boolean;
  /** What each line carries as `attrs`, from the log options `labels`, `env` and `tag`. */
  readonly attrs?: Readonly<Record<string, string>>;
}

export interface StartRequest {
  readonly id: string;
  /** Directory with the `config.json` that the caller has written; deleted when the container has ended. */
  readonly bundle: string;
  /** As `process.terminal` in `config.json`. */
  readonly tty: boolean;
  /** Without it stdin is `/dev/null`. */
  readonly openStdin: boolean;
  /** The first client that ends its stdin ends the container's. */
  readonly stdinOnce: boolean;
  readonly log: LogTarget | undefined;
}

export interface ExecRequest {
  readonly id: string;
  readonly execID: string;
  /** What `runc exec --process` is given. */
  readonly process: OCIProcess;
  /** As `process.terminal`. */
  readonly tty: boolean;
  readonly openStdin: boolean;
}

export interface Started {
  /** As the host sees it. */
  readonly pid: number;
  readonly startedAtNs: bigint;
}

/** How a process ended. */
export interface Exit extends ProcessRef {
  /** 128 and the signal when one killed it; 255 with an `error` when nobody saw its end. */
  readonly exitCode: number;
  /** The kernel killed a process of this container for want of memory, at any time. False for an exec. */
  readonly oomKilled: boolean;
  readonly atNs: bigint;
  /** When it was started; not told by supervisors of before this was. */
  readonly startedAtNs?: bigint;
  readonly error?: string;
}

/** What the supervisor keeps: a process that runs, or the exit of one that nobody has acknowledged. */
export type Supervised = (ProcessRef & Started) | Exit;

/** What of a process's log is from before a client was attached. */
export interface LogMark {
  /** When it was attached. */
  readonly atNs: bigint;
  /** Of one that runs: all before this place; nothing is in the log of what the client gets. */
  readonly place?: LogPlace;
}

export interface AttachStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** With what of an unfinished line the log has not got yet. */
  readonly withBegun?: boolean;
}

/** A client's end of standard streams. */
export interface AttachedStream extends Duplex {
  readonly mark: LogMark;
}

export interface TerminalSize {
  readonly height: number;
  readonly width: number;
}

/**
 * The process that is the parent of all containers of a run directory and outlives whoever uses this. It is started
 * when it is first needed. Calls reject with `Unavailable` when it cannot be reached or started.
 */
export interface Supervisor extends AsyncDisposable {
  /**
   * Runs the bundle. @throws RuntimeFailure: it does not start, nothing is left of it; AlreadyExists: it runs, or its
   * exit is not acknowledged
   */
  start(request: StartRequest): Promise<Started>;
  /** Adds a process. @throws RuntimeFailure; NotFound: the container does not run */
  exec(request: ExecRequest): Promise<Started>;
  /**
   * A client's end of the standard streams. Read: Docker's 8-byte frames, raw bytes with a tty; ends when the process
   * has ended and all its output is given. Written: stdin; `end` ends it (a container's only with `stdinOnce`, an
   * exec's always), `destroy` detaches and ends nothing. May come before `start` or `exec`: it is silent until then, and
   * what is written waits. A client that does not read makes the process wait once 1 MiB is kept for it, as with dockerd.
   */
  attach(target: ProcessRef, streams: AttachStreams): Promise<AttachedStream>;
  /** Ends what is attached to a process that will not start after all. */
  abandon(target: ProcessRef): Promise<void>;
  /** Nothing for a process without a tty. @throws NotFound: it does not run */
  resize(target: ProcessRef, size: TerminalSize): Promise<void>;
  /** @throws NotFound: it does not run; never hits a process that got its number later */
  kill(target: ProcessRef, signal: number): Promise<void>;
  list(): Promise<Supervised[]>;
  /**
   * Every exit that is not acknowledged, those before this call too, each once to each caller. It is told when all
   * output is in the log and given to who is attached, and bundle and cgroups are gone. Ends with the signal.
   */
  exits(signal: AbortSignal): AsyncIterable<Exit>;
  /** The supervisor forgets the process. Unknown: nothing. */
  acknowledge(target: ProcessRef): Promise<void>;
}
