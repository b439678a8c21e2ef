import type { Socket } from "node:net";
import type {
  AttachStreams,
  ExecRequest,
  Exit,
  LogMark,
  ProcessRef,
  Started,
  StartRequest,
  Supervised,
  TerminalSize,
} from "./contract.js";

/**
 * What goes over the supervisor's socket. A connection begins with one line of JSON from the client, a `Hello`, and one
 * back, a `Welcome` or a `Refusal`. Then a "control" connection carries lines: requests with numbers, answers with the
 * same numbers in any order, and exits, those not acknowledged first. An "attach" connection carries what is read as it
 * is, and what is written in pieces: the length in four bytes, big-endian, and the bytes; 0 is the end of stdin.
 */
export const protocolVersion = 1;

export type Hello =
  | { readonly protocol: number; readonly open: "control" }
  | {
      readonly protocol: number;
      readonly open: "attach";
      readonly target: ProcessRef;
      readonly streams: AttachStreams;
    };

export interface Welcome {
  readonly protocol: number;
  readonly pid: number;
  /** Of an attach; not told by supervisors of before this was. */
  readonly mark?: LogMark;
}

export interface Refusal {
  readonly error: WireError;
}

export interface WireError {
  readonly code: string;
  readonly message: string;
}

/** Requests by name: what they take and what the answer holds. */
export interface Requests {
  start: { takes: StartRequest; gives: Started };
  exec: { takes: WireExec; gives: Started };
  abandon: { takes: ProcessRef; gives: null };
  resize: { takes: { readonly target: ProcessRef; readonly size: TerminalSize }; gives: null };
  kill: { takes: { readonly target: ProcessRef; readonly signal: number }; gives: null };
  list: { takes: null; gives: readonly Supervised[] };
  acknowledge: { takes: ProcessRef; gives: null };
}

/** The process as the text of a file, in which numbers keep their digits. */
export type WireExec = Omit<ExecRequest, "process"> & { readonly process: string };

export type RequestLine = {
  [Op in keyof Requests]: { readonly number: number; readonly op: Op; readonly request: Requests[Op]["takes"] };
}[keyof Requests];

export type SupervisorLine =
  | { readonly number: number; readonly ok: unknown }
  | { readonly number: number; readonly error: WireError }
  | { readonly exit: Exit }
  /** The supervisor ends, since it has nothing to do; what it has not answered it has not done. */
  | { readonly leaving: true };

/** Nanoseconds and inodes can be more than a JSON number holds: such keys hold their digits as text. */
export function toLine(value: object): string {
  return `${JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item))}\n`;
}

export function fromLine<T>(line: string): T {
  return JSON.parse(line, (key, item) => (isLarge(key) && typeof item === "string" ? BigInt(item) : item)) as T;
}

function isLarge(key: string): boolean {
  return key.endsWith("Ns") || key === "inode";
}

/** Names a process in maps and files. */
export function keyOf({ id, execID }: ProcessRef): string {
  return execID === undefined ? id : `${id}.${execID}`;
}

/** The target alone of what holds more. */
export function targetOf({ id, execID }: ProcessRef): ProcessRef {
  return execID === undefined ? { id } : { id, execID };
}

/** Calls `onLine` with each line that comes. @returns what stops it: what has come behind the last line is then unread */
export function readLines(socket: Socket, onLine: (line: string) => void): () => void {
  let begun: Buffer[] = [];
  let stopped = false;
  const onData = (chunk: Buffer) => {
    let at = 0;
    while (at < chunk.length && !stopped) {
      const end = chunk.indexOf(10, at);
      begun.push(chunk.subarray(at, end < 0 ? chunk.length : end));
      at = end < 0 ? chunk.length : end + 1;
      if (end < 0) return;
      const line = Buffer.concat(begun).toString();
      begun = [];
      onLine(line);
    }
    if (at < chunk.length) socket.unshift(chunk.subarray(at));
  };
  socket.on("data", onData);
  return () => {
    stopped = true;
    socket.off("data", onData);
    socket.pause();
  };
}
