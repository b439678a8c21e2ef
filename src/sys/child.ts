import { check, lastErrno, libc } from "./libc.js";
import { errnos, SyscallError } from "./syscall-error.js";

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

/** From now on this process is the parent of all descendants whose own parents end. @see prctl(2) */
export function becomeSubreaper(): void {
  check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl");
}

/** A child that has ended and is no more: its number may be given to another process. */
export interface Reaped {
  readonly pid: number;
  /** As a shell says it: 128 and the signal when one killed it. */
  readonly exitCode: number;
}

/**
 * Takes the status of a child that has ended, of any child with -1; undefined: none of them has ended yet, or this
 * process has no such child. Never waits. With -1 it would take the children of `node:child_process` too.
 */
export function reap(pid: number): Reaped | undefined {
  const status = new Int32Array(1);
  const ended = libc.waitpid(pid, status, WNOHANG);
  if (ended === 0) return undefined;
  if (ended > 0) return { pid: ended, exitCode: exitCodeOf(status[0]!) };
  const errno = lastErrno();
  if (errno === errnos.ECHILD || errno === errnos.EINTR) return undefined;
  throw new SyscallError(errno, "waitpid");
}

/** @see wait(2), WIFEXITED and its kin */
function exitCodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
