import { check, libc } from "./libc.js";
import { close } from "./open.js";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
/** Of `struct ifreq`: 16 bytes of name, then a union. */
const nameSize = 16;
const size = 40;

/** Brings up the loopback interface of the calling thread's network namespace. @see netdevice(7) */
export function raiseLoopback(): void {
  const fd = check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  try {
    const request = Buffer.alloc(size);
    request.write("lo");
    request.writeInt16LE(IFF_UP, nameSize);
    check(libc.ioctlData(fd, SIOCSIFFLAGS, request), "ioctl");
  } finally {
    close(fd);
  }
}
