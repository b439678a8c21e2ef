import { check, libc } from "./libc.js";

/** More than a `struct termios` takes on any machine; C libraries alone know what is in it. */
const settingsSize = 128;
const now = 0;

/**
 * Has a terminal pass every byte as it is, in both directions: nothing is echoed, edited or made a signal.
 *
 * @returns puts it back as it was
 * @throws SyscallError ENOTTY: it is no terminal
 * @see termios(3)
 */
export function rawMode(fd: number): () => void {
  const before = Buffer.alloc(settingsSize);
  check(libc.tcgetattr(fd, before), "tcgetattr");
  const raw = Buffer.from(before);
  libc.cfmakeraw(raw);
  check(libc.tcsetattr(fd, now, raw), "tcsetattr");
  return () => void check(libc.tcsetattr(fd, now, before), "tcsetattr");
}
