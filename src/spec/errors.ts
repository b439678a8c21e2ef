/**
 * Failures, named by what a caller can do about them. Each class has a stable `code`; the daemon maps codes to HTTP
 * statuses in one table. The message is one line: what, where, and what to do. Wrap with `cause`, adding new facts.
 */
export type ErrorCode =
  | "already-exists"
  | "cancelled"
  | "conflict"
  | "data-loss"
  | "forbidden"
  | "internal"
  | "invalid-parameter"
  | "not-found"
  | "not-implemented"
  | "not-modified"
  | "unauthorized"
  | "unavailable";

export abstract class LayerkitError extends Error {
  abstract readonly code: ErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** What was asked for is not there. */
export class NotFound extends LayerkitError {
  readonly code = "not-found";
}

/** The caller's input is malformed or out of range; the same input fails again. */
export class InvalidParameter extends LayerkitError {
  readonly code = "invalid-parameter";
}

/** The object is in a state that forbids this: in use, running, referenced. */
export class Conflict extends LayerkitError {
  readonly code = "conflict";
}

/** The name or id is taken. */
export class AlreadyExists extends LayerkitError {
  readonly code = "already-exists";
}

/** Credentials are missing or refused. */
export class Unauthorized extends LayerkitError {
  readonly code = "unauthorized";
}

/** Allowed to nobody, or not to this caller. */
export class Forbidden extends LayerkitError {
  readonly code = "forbidden";
}

/** Something needed is not there now: a kernel feature, a registry, a lock held by another process. */
export class Unavailable extends LayerkitError {
  readonly code = "unavailable";
}

/** The operation exists, this program does not offer it. */
export class NotImplemented extends LayerkitError {
  readonly code = "not-implemented";
}

/** Nothing was done, since it was so already. */
export class NotModified extends LayerkitError {
  readonly code = "not-modified";
}

/** The caller asked to stop. */
export class Cancelled extends LayerkitError {
  readonly code = "cancelled";
}

/** Stored or received data is damaged. */
export class DataLoss extends LayerkitError {
  readonly code = "data-loss";
}

/** One line for any thrown value: its message, never its stack. What JSON.parse quotes may have line ends in it. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\p{Cc}+/gu, " ");
}

/** True when `error` is a failed system call with this errno name, of Node's own or of `sys`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? "");
}
