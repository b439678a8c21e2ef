import { check, libc } from "./libc.js";
import { close } from "./open.js";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** Sends one datagram to a unix socket. @param path absolute, or `@NAME` in the abstract name space */
export function sendDatagram(path: string, content: string): void {
  const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  try {
    const [data, address] = [Buffer.from(content), addressOf(path)];
    check(libc.sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length), "sendto", path);
  } finally {
    close(fd);
  }
}

/** `struct sockaddr_un`. @see unix(7) */
function addressOf(path: string): Uint8Array {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path);
  const family = Buffer.from(new Uint16Array([AF_UNIX]).buffer);
  return Buffer.concat([family, name]);
}
