import { check, libc } from "./libc.js";

const TIOCSWINSZ = 0x5414;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;

/** Tells a terminal, by either end, how large its window is; who reads from it gets SIGWINCH. @see ioctl_tty(2) */
export function setWindowSize(fd: number, height: number, width: number): void {
  check(libc.ioctlData(fd, TIOCSWINSZ, Buffer.from(new Uint16Array([height, width, 0, 0]).buffer)), "ioctl TIOCSWINSZ");
}

/** From now on reads and writes of a descriptor open for both fail with EAGAIN where they would wait. */
export function setNonBlocking(fd: number): void {
  check(libc.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), "fcntl");
}

/** Another descriptor of the same open file, with a life of its own. */
export function duplicate(fd: number): number {
  return check(libc.fcntl(fd, F_DUPFD_CLOEXEC, 0), "fcntl");
}
