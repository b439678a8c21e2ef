import { check, lastErrno, libc } from "./libc.js";
import { errnos, SyscallError } from "./syscall-error.js";

const operations = { shared: 1, exclusive: 2 } as const;
const nonBlocking = 4;

/** Kinds of lock on an open file: many may share it, or one has it alone. */
export type LockKind = keyof typeof operations;

/** Locks the open file, at once or not at all; closing its last descriptor unlocks. @returns false: another has it */
export function tryFlock(fd: number, kind: LockKind): boolean {
  if (libc.flock(fd, operations[kind] | nonBlocking) === 0) return true;
  const errno = lastErrno();
  if (errno === errnos.EWOULDBLOCK) return false;
  throw new SyscallError(errno, "flock");
}

/** As `tryFlock`, but the whole thread waits until others give it up. */
export function flock(fd: number, kind: LockKind): void {
  check(libc.flock(fd, operations[kind]), "flock");
}
