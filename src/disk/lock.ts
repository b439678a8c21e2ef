import { constants, fstatSync, readFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { isErrno, Unavailable } from "../spec/index.js";
import { tryFlock } from "../sys/index.js";

/** Another process has the lock. */
export class Locked extends Unavailable {
  readonly holder: Holder;
  constructor(file: string, holder: Holder) {
    const who = holder.pid === undefined ? "another process" : `process ${holder.pid}`;
    super(`${file} is locked by ${who}`);
    this.holder = holder;
  }
}

export interface Holder {
  /** Undefined when the kernel does not show it, as of a process outside of our container. */
  readonly pid?: number;
}

/**
 * Takes the exclusive lock on `file`, made with mode 0600 when missing, until disposed; the kernel takes it back when
 * the process ends, however it ends. The file stays.
 *
 * @throws Locked: another has it, also a second time within this process
 */
export async function lockExclusive(file: string): Promise<AsyncDisposable> {
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (tryFlock(handle.fd, "exclusive")) return { [Symbol.asyncDispose]: () => handle.close() };
  const holder = holderInProc(handle);
  await handle.close();
  throw new Locked(file, holder);
}

/** Who holds a lock (flock) on `file`. @returns undefined when nobody does, or there is no such file */
export async function holderOfLock(file: string): Promise<Holder | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
  try {
    // Only the lock itself tells that it is free; it is given back at once. The kernel takes some 20 ms to list all locks.
    return tryFlock(handle.fd, "exclusive") ? undefined : holderInProc(handle);
  } finally {
    await handle.close();
  }
}

/** @see proc(5), /proc/locks: `1: FLOCK  ADVISORY  WRITE 11728 00:1b:918181 0 EOF` */
function holderInProc({ fd }: FileHandle): Holder {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const hex = (part: bigint) => part.toString(16).padStart(2, "0");
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  const file = `${hex(major)}:${hex(minor)}:${ino}`;
  for (const line of readFileSync("/proc/locks", "latin1").split("\n")) {
    const [, kind, , , pid, place] = line.replace("-> ", "").split(/ +/);
    if (kind === "FLOCK" && place === file && Number(pid) > 0) return { pid: Number(pid) };
  }
  return {};
}
