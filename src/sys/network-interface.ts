import { check, libc } from "./libc.js";
import { close } from "./open.js";
import { SyscallError } from "./syscall-error.js";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFADDR = 0x8915;
const SIOCGIFNETMASK = 0x891b;
const IFF_UP = 1;
/** Of `struct ifreq`: 16 bytes of name, then a union; of an address its family, port and four bytes. */
const nameSize = 16;
const size = 40;

/** Brings up the loopback interface of the calling thread's network namespace. @see netdevice(7) */
export function raiseLoopback(): void {
  const request = requestOf("lo");
  request.writeInt16LE(IFF_UP, nameSize);
  ask(SIOCSIFFLAGS, request);
}

/** The IPv4 address and netmask of an interface, as numbers; undefined: it is not there, or has none. */
export function interfaceAddress(name: string): { address: number; netmask: number } | undefined {
  try {
    return {
      address: addressIn(ask(SIOCGIFADDR, requestOf(name))),
      netmask: addressIn(ask(SIOCGIFNETMASK, requestOf(name))),
    };
  } catch (error) {
    if (error instanceof SyscallError && ["ENODEV", "EADDRNOTAVAIL"].includes(error.code)) return undefined;
    throw error;
  }
}

function requestOf(name: string): Buffer {
  const request = Buffer.alloc(size);
  request.write(name.slice(0, nameSize - 1));
  return request;
}

function addressIn(request: Buffer): number {
  return request.readUInt32BE(nameSize + 4);
}

function ask(what: number, request: Buffer): Buffer {
  const fd = check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  try {
    check(libc.ioctlData(fd, what, request), "ioctl");
    return request;
  } finally {
    close(fd);
  }
}
