import { check, libc } from "./libc.js";

const O_CLOEXEC = 0o2000000;

/** The two ends of a pipe, to be closed by the caller. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/**
 * A pipe of the kernel; what Node calls one is a pair of sockets, which a process cannot open again as `/dev/stdout`.
 * @see pipe2(2)
 */
export function pipe(): Pipe {
  const ends = new Int32Array(2);
  check(libc.pipe2(ends, O_CLOEXEC), "pipe2");
  return { read: ends[0]!, write: ends[1]! };
}
