/**
 * The system calls that Node does not offer, or offers not for bytes, nanoseconds or directory file descriptors: one
 * a function, direct and synchronous. The only part that calls foreign code; it is loaded at the first call, so that
 * importing this part costs nothing. Every function may be used from any thread. All fail with `SyscallError`.
 * Paths and names are text as spec's `decodeName` gives it, or plain bytes; file descriptors opened here close on
 * exec and are closed by `close` or by `node:fs`.
 */
export * from "./child.js";
export * from "./copy.js";
export * from "./datagram.js";
export * from "./descriptor.js";
export * from "./directory.js";
export * from "./fiemap.js";
export * from "./filesystem.js";
export * from "./flock.js";
export * from "./fsmount.js";
export * from "./link.js";
export { limitArenas, trimMalloc } from "./malloc.js";
export * from "./mount.js";
export type { Name } from "./name.js";
export * from "./namespace.js";
export * from "./network-interface.js";
export * from "./node.js";
export * from "./open.js";
export * from "./owner.js";
export * from "./pipe.js";
export * from "./quota.js";
export { rawMode } from "./raw-mode.js";
export * from "./start.js";
export * from "./stat.js";
export * from "./syscall-error.js";
export * from "./terminal.js";
export * from "./times.js";
export * from "./xattr.js";
export * from "./zstd.js";
