import { check, koffi, libc } from "./libc.js";
import { close } from "./open.js";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** `struct cmsghdr` before its data: size_t length, int level, int type. */
const headSize = 16;

/** A unix socket that listens at `path`, for one peer that hands over a file descriptor. To be closed by the caller. */
export function listenForDescriptor(path: string): number {
  const fd = check(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  try {
    const address = Buffer.concat([Buffer.from(new Uint16Array([AF_UNIX]).buffer), Buffer.from(`${path}\0`)]);
    check(libc.bind(fd, address, address.length), "bind", path);
    check(libc.listen(fd, 1), "listen", path);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * The descriptor that a peer has sent to such a socket; it is there already, so this does not wait.
 * @returns undefined: the peer sent none @see unix(7), SCM_RIGHTS
 */
export function receiveDescriptor(listening: number): number | undefined {
  const peer = check(libc.accept4(listening, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC), "accept4");
  try {
    const [base, control] = [Buffer.alloc(4096), Buffer.alloc(headSize + 8)];
    const iov = [{ base, length: base.length }];
    const message = { name: null, nameLength: 0, iov, iovCount: 1, control, controlLength: control.length, flags: 0 };
    check(recvmsg()(peer, message, MSG_CMSG_CLOEXEC), "recvmsg");
    return message.controlLength < headSize + 4 ? undefined : new Int32Array(control.buffer, control.byteOffset)[4];
  } finally {
    close(peer);
  }
}

let bound: ((fd: number, message: object, flags: number) => number) | undefined;

function recvmsg(): (fd: number, message: object, flags: number) => number {
  if (bound) return bound;
  const { load, struct } = koffi();
  const iovec = struct({ base: "void *", length: "size_t" });
  const message = struct({
    name: "void *",
    nameLength: "uint",
    iov: koffi().pointer(iovec),
    iovCount: "size_t",
    control: "void *",
    controlLength: "size_t",
    flags: "int",
  });
  bound = load(null).func("recvmsg", "long", ["int", koffi().inout(koffi().pointer(message)), "int"]);
  return bound!;
}
