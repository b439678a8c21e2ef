import {
  AlreadyExists,
  Cancelled,
  Conflict,
  DataLoss,
  type ErrorCode,
  Forbidden,
  InvalidParameter,
  LayerkitError,
  messageOf,
  NotFound,
  NotImplemented,
  NotModified,
  Unauthorized,
  Unavailable,
} from "../spec/index.js";

/** An error as plain data: what passes between threads keeps its class and its errno. */
export interface WireError {
  readonly message: string;
  /** Of our own classes. */
  readonly kind?: ErrorCode;
  /** Of a failed system call: what Node's errors carry. */
  readonly errno?: {
    readonly code: string;
    readonly errno?: number;
    readonly syscall?: string;
    readonly path?: string;
  };
  readonly stack?: string;
}

type Class = new (message: string, options?: ErrorOptions) => LayerkitError;

const classes: Partial<Record<ErrorCode, Class>> = {
  "already-exists": AlreadyExists,
  cancelled: Cancelled,
  conflict: Conflict,
  "data-loss": DataLoss,
  forbidden: Forbidden,
  "invalid-parameter": InvalidParameter,
  "not-found": NotFound,
  "not-implemented": NotImplemented,
  "not-modified": NotModified,
  unauthorized: Unauthorized,
  unavailable: Unavailable,
};

export function packError(error: unknown): WireError {
  const message = messageOf(error);
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
  if (error instanceof LayerkitError) return { message, kind: error.code, ...stack };
  const { code, errno, syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (typeof code !== "string") return { message, ...stack };
  const more = { ...(errno !== undefined && { errno }), ...(syscall && { syscall }), ...(path && { path }) };
  return { message, errno: { code, ...more }, ...stack };
}

export function unpackError({ message, kind, errno, stack }: WireError, options?: ErrorOptions): Error {
  const Kind = (kind && classes[kind]) ?? Error;
  const error = Object.assign(new Kind(message, options), errno);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** The same failure with `label` in front of its message: same class, same errno; the original is its cause. */
export function labelled(label: string, error: unknown): Error {
  const { stack: _, ...wire } = packError(error);
  return unpackError({ ...wire, message: `${label}: ${wire.message}` }, { cause: error });
}
