import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { decodeName } from "../spec/index.js";
import type { Name } from "./name.js";

/**
 * A system call that failed. It looks as Node's own do: the spec's `isErrno(error, "EBUSY")` knows both. The message
 * ends with what to do about it in parentheses, where that is known.
 */
export class SyscallError extends Error {
  /** `EBUSY`, or `E` and the number for one without a name here. */
  readonly code: string;
  /** The number the kernel gave, negative as in Node's errors. */
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  /** The second path of calls that have two. */
  readonly dest?: string;

  constructor(errno: number, syscall: string, path?: Name, dest?: Name, hint = hintFor(errno, syscall)) {
    const [code, text] = describe(errno);
    const from = path === undefined ? "" : ` '${textOf(path)}'`;
    const to = dest === undefined ? "" : ` -> '${textOf(dest)}'`;
    super(`${code}: ${text}, ${syscall}${from}${to}${hint ? ` (${hint})` : ""}`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = textOf(path);
    if (dest !== undefined) this.dest = textOf(dest);
  }

  override get name(): string {
    return "SyscallError";
  }
}

/** Number of an errno name on this machine, for comparing without making an error. */
export const errnos = constants.errno;

function textOf(name: Name): string {
  return typeof name === "string" ? name : decodeName(name);
}

/** Errnos for which libuv has no name, or (95) another than manual pages; numbered alike on all machines we run on. */
const beyondLibuv: Readonly<Record<number, readonly [code: string, text: string]>> = {
  74: ["EBADMSG", "bad message"],
  95: ["EOPNOTSUPP", "operation not supported"],
  116: ["ESTALE", "stale file handle"],
  117: ["EUCLEAN", "structure needs cleaning"],
  122: ["EDQUOT", "disk quota exceeded"],
};

// Node makes the map anew at each call, which takes longer than any system call that fails.
let ofLibuv: ReturnType<typeof getSystemErrorMap> | undefined;

function describe(errno: number): readonly [code: string, text: string] {
  ofLibuv ??= getSystemErrorMap();
  return beyondLibuv[errno] ?? ofLibuv.get(-errno) ?? [`E${errno}`, "system error"];
}

const privileged = /^(mount|umount2|fs(open|config|mount)|move_mount|open_tree|mount_setattr|unshare|setns|chroot)$/;

function hintFor(errno: number, syscall: string): string {
  if (errno === errnos.EPERM && privileged.test(syscall)) return "run as root, or in a user namespace of your own";
  if (errno === errnos.EPERM && syscall === "mknodat") return "devices can only be made by root";
  if (errno === errnos.ENOSYS) return "this kernel does not have it";
  if (errno === errnos.EBUSY && syscall === "umount2") return "something inside is open or is a working directory";
  if (errno === errnos.ENODEV && /^(mount|fsopen)$/.test(syscall)) return "this kernel has no such file system";
  return "";
}
