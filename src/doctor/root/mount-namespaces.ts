import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isErrno } from "../../spec/index.js";

/** The mounts of a mount namespace, as processes in it are told them. @see proc(5), /proc/PID/mountinfo */
export interface MountNamespace {
  readonly isOwn: boolean;
  readonly mountinfo: string;
}

export interface MountNamespaces {
  readonly all: readonly MountNamespace[];
  /** Processes that may not be looked at, because they may do more than we. */
  readonly closed: ReadonlySet<number>;
}

/** Those that processes have. */
export function mountNamespaces(): MountNamespaces {
  const own = readlinkSync("/proc/self/ns/mnt");
  const found = new Map<string, string>([[own, readFileSync("/proc/self/mountinfo", "latin1")]]);
  const closed = new Set<number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (!found.has(namespace)) found.set(namespace, readFileSync(`/proc/${pid}/mountinfo`, "latin1"));
    } catch (error) {
      // Others end while they are looked at.
      if (isErrno(error, "EACCES", "EPERM")) closed.add(Number(pid));
    }
  }
  return { all: [...found].map(([id, mountinfo]) => ({ isOwn: id === own, mountinfo })), closed };
}
