import { createRequire } from "node:module";
import type { Name } from "./name.js";
import { SyscallError } from "./syscall-error.js";

type Data = Uint8Array | null;
/** null is the last. */
type Names = readonly (Name | null)[];

/**
 * The C functions we call, as JavaScript sees them. Those newer than the C libraries in use, or not exported by all
 * of them, go through `syscall`, which is declared once for each shape of arguments.
 */
interface Libc {
  openat(dir: number, path: Name, flags: number, mode: number): number;
  close(fd: number): number;
  mkdirat(dir: number, path: Name, mode: number): number;
  symlinkat(target: Name, dir: number, path: Name): number;
  linkat(fromDir: number, from: Name, toDir: number, to: Name, flags: number): number;
  unlinkat(dir: number, path: Name, flags: number): number;
  readlinkat(dir: number, path: Name, into: Uint8Array, size: number): number;
  statx(dir: number, path: Name, flags: number, mask: number, into: Uint8Array): number;
  fchownat(dir: number, path: Name, uid: number, gid: number, flags: number): number;
  fchmod(fd: number, mode: number): number;
  fchmodat(dir: number, path: Name, mode: number, flags: number): number;
  utimensat(dir: number, path: Name, times: Data, flags: number): number;
  futimens(fd: number, times: Data): number;
  lgetxattr(path: Name, name: Name, into: Data, size: number): number;
  lsetxattr(path: Name, name: Name, value: Data, size: number, flags: number): number;
  llistxattr(path: Name, into: Data, size: number): number;
  lremovexattr(path: Name, name: Name): number;
  fgetxattr(fd: number, name: Name, into: Data, size: number): number;
  fsetxattr(fd: number, name: Name, value: Data, size: number, flags: number): number;
  flistxattr(fd: number, into: Data, size: number): number;
  fremovexattr(fd: number, name: Name): number;
  statfs(path: Name, into: Uint8Array): number;
  fstatfs(fd: number, into: Uint8Array): number;
  syncfs(fd: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  flock(fd: number, operation: number): number;
  ioctlNumber(fd: number, request: number, value: number): number;
  ioctlData(fd: number, request: number, data: Uint8Array): number;
  mount(source: Name, target: Name, type: Name | null, flags: number, data: Name | null): number;
  umount2(target: Name, flags: number): number;
  unshare(flags: number): number;
  setns(fd: number, type: number): number;
  chroot(path: Name): number;
  chdir(path: Name): number;
  fchdir(fd: number): number;
  quotactl(command: number, device: Name, id: number, data: Uint8Array): number;
  mallopt(parameter: number, value: number): number;
  malloc_trim(pad: number): number;
  tcgetattr(fd: number, into: Uint8Array): number;
  tcsetattr(fd: number, when: number, settings: Uint8Array): number;
  cfmakeraw(settings: Uint8Array): void;
  socket(family: number, type: number, protocol: number): number;
  sendto(fd: number, data: Uint8Array, size: number, flags: number, to: Uint8Array, toSize: number): number;
  bind(fd: number, address: Uint8Array, size: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: null, size: null, flags: number): number;
  pipe2(ends: Int32Array, flags: number): number;
  fcntl(fd: number, command: number, value: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  waitpid(pid: number, status: Int32Array, options: number): number;
  posix_spawnp(pid: Int32Array, file: Name, actions: Data, attributes: Data, args: Names, env: Names): number;
  posix_spawn_file_actions_init(actions: Uint8Array): number;
  posix_spawn_file_actions_adddup2(actions: Uint8Array, fd: number, as: number): number;
  posix_spawn_file_actions_addopen(actions: Uint8Array, fd: number, path: Name, flags: number, mode: number): number;
  posix_spawn_file_actions_destroy(actions: Uint8Array): number;
  posix_spawnattr_init(attributes: Uint8Array): number;
  posix_spawnattr_setflags(attributes: Uint8Array, flags: number): number;
  posix_spawnattr_setsigdefault(attributes: Uint8Array, signals: Uint8Array): number;
  posix_spawnattr_setsigmask(attributes: Uint8Array, signals: Uint8Array): number;
  syscallNumbers(number: number, a: number, b: number, c: number): number;
  syscallData(number: number, a: number, data: Uint8Array, size: number): number;
  syscallName(number: number, name: Name, a: number): number;
  syscallPath(number: number, dir: number, path: Name, a: number, b: number): number;
  syscallPathData(number: number, dir: number, path: Name, data: Data, size: number): number;
  syscallPathFlagsData(number: number, dir: number, path: Name, flags: number, data: Data, size: number): number;
  syscallPaths(number: number, dir: number, path: Name, dir2: number, path2: Name, flags: number): number;
  syscallConfig(number: number, fd: number, command: number, key: Name | null, value: Name | null, aux: number): number;
  syscallCopy(number: number, from: number, a: null, to: number, b: null, size: number, flags: number): number;
}

const prototypes: Readonly<Record<keyof Libc, string>> = {
  openat: "int openat(int, str, int, uint)",
  close: "int close(int)",
  mkdirat: "int mkdirat(int, str, uint)",
  symlinkat: "int symlinkat(str, int, str)",
  linkat: "int linkat(int, str, int, str, int)",
  unlinkat: "int unlinkat(int, str, int)",
  readlinkat: "long readlinkat(int, str, void *, size_t)",
  statx: "int statx(int, str, int, uint, void *)",
  fchownat: "int fchownat(int, str, uint, uint, int)",
  fchmod: "int fchmod(int, uint)",
  fchmodat: "int fchmodat(int, str, uint, int)",
  utimensat: "int utimensat(int, str, void *, int)",
  futimens: "int futimens(int, void *)",
  lgetxattr: "long lgetxattr(str, str, void *, size_t)",
  lsetxattr: "int lsetxattr(str, str, void *, size_t, int)",
  llistxattr: "long llistxattr(str, void *, size_t)",
  lremovexattr: "int lremovexattr(str, str)",
  fgetxattr: "long fgetxattr(int, str, void *, size_t)",
  fsetxattr: "int fsetxattr(int, str, void *, size_t, int)",
  flistxattr: "long flistxattr(int, void *, size_t)",
  fremovexattr: "int fremovexattr(int, str)",
  statfs: "int statfs(str, void *)",
  fstatfs: "int fstatfs(int, void *)",
  syncfs: "int syncfs(int)",
  lseek: "long lseek(int, long, int)",
  flock: "int flock(int, int)",
  ioctlNumber: "int ioctl(int, ulong, long)",
  ioctlData: "int ioctl(int, ulong, void *)",
  mount: "int mount(str, str, str, ulong, str)",
  umount2: "int umount2(str, int)",
  unshare: "int unshare(int)",
  setns: "int setns(int, int)",
  chroot: "int chroot(str)",
  chdir: "int chdir(str)",
  fchdir: "int fchdir(int)",
  quotactl: "int quotactl(int, str, int, void *)",
  mallopt: "int mallopt(int, int)",
  malloc_trim: "int malloc_trim(size_t)",
  tcgetattr: "int tcgetattr(int, void *)",
  tcsetattr: "int tcsetattr(int, int, void *)",
  cfmakeraw: "void cfmakeraw(void *)",
  socket: "int socket(int, int, int)",
  sendto: "long sendto(int, void *, size_t, int, void *, uint)",
  bind: "int bind(int, void *, uint)",
  listen: "int listen(int, int)",
  accept4: "int accept4(int, void *, void *, int)",
  pipe2: "int pipe2(void *, int)",
  fcntl: "int fcntl(int, int, long)",
  prctl: "int prctl(int, ulong, ulong, ulong, ulong)",
  waitpid: "int waitpid(int, void *, int)",
  posix_spawnp: "int posix_spawnp(void *, str, void *, void *, const char **, const char **)",
  posix_spawn_file_actions_init: "int posix_spawn_file_actions_init(void *)",
  posix_spawn_file_actions_adddup2: "int posix_spawn_file_actions_adddup2(void *, int, int)",
  posix_spawn_file_actions_addopen: "int posix_spawn_file_actions_addopen(void *, int, str, int, uint)",
  posix_spawn_file_actions_destroy: "int posix_spawn_file_actions_destroy(void *)",
  posix_spawnattr_init: "int posix_spawnattr_init(void *)",
  posix_spawnattr_setflags: "int posix_spawnattr_setflags(void *, short)",
  posix_spawnattr_setsigdefault: "int posix_spawnattr_setsigdefault(void *, void *)",
  posix_spawnattr_setsigmask: "int posix_spawnattr_setsigmask(void *, void *)",
  syscallNumbers: "long syscall(long, long, long, long)",
  syscallData: "long syscall(long, long, void *, size_t)",
  syscallName: "long syscall(long, str, long)",
  syscallPath: "long syscall(long, long, str, long, long)",
  syscallPathData: "long syscall(long, long, str, void *, size_t)",
  syscallPathFlagsData: "long syscall(long, long, str, long, void *, size_t)",
  syscallPaths: "long syscall(long, long, str, long, str, long)",
  syscallConfig: "long syscall(long, long, long, str, str, long)",
  syscallCopy: "long syscall(long, long, void *, long, void *, size_t, long)",
};

// All younger machines (arm64, riscv64, loong64) share one table, in which these numbers differ from x86-64.
const x64 = process.arch === "x64";

/** Numbers of the calls made by `syscall`; those from 424 on are the same on all machines. */
export const numbers = {
  mknodat: x64 ? 259 : 33,
  getdents64: x64 ? 217 : 61,
  renameat2: x64 ? 316 : 276,
  copy_file_range: x64 ? 326 : 285,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  openat2: 437,
  mount_setattr: 442,
} as const;

type Koffi = typeof import("koffi");
const require = createRequire(import.meta.url);
let loaded: Koffi | undefined;

/** The foreign function library; its loading takes some 10 ms, once a thread. */
export function koffi(): Koffi {
  loaded ??= require("koffi") as Koffi;
  return loaded;
}

/** The C library of this very process. Each function is bound at its first use. */
export const libc: Libc = lazily();

function lazily(): Libc {
  const target = {} as Libc;
  for (const [name, prototype] of Object.entries(prototypes)) {
    const get = () => {
      const value = koffi().load(null).func(prototype);
      Object.defineProperty(target, name, { value });
      return value;
    };
    Object.defineProperty(target, name, { get, configurable: true });
  }
  return target;
}

/** @returns `result` as it is @throws SyscallError: it is -1; to be called right after the system call */
export function check(result: number, syscall: string, path?: Name, dest?: Name): number {
  if (result < 0) throw new SyscallError(koffi().errno(), syscall, path, dest);
  return result;
}

/** The errno of the call before, to be read at once. */
export function lastErrno(): number {
  return koffi().errno();
}

/**
 * One call on libuv's pool instead of this thread: for those that may wait for a disk. Not for calls whose meaning
 * depends on the thread (chroot, setns).
 */
export function inBackground(name: keyof Libc, syscall: string, ...args: (number | Name)[]): Promise<number> {
  return new Promise((done, fail) => {
    const bound = libc[name] as unknown as { async(...args: unknown[]): void };
    bound.async(...args, (error: Error | null, result: number) => {
      if (error) fail(error);
      // The library has put the errno of the other thread in place for the time of this callback.
      else if (result < 0) fail(new SyscallError(lastErrno(), syscall));
      else done(result);
    });
  });
}
