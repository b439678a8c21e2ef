import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { MountPoint } from "../../disk/index.js";
import { encodeName } from "../../spec/index.js";

/**
 * Paths of the mounts whose file systems are seen in another mount namespace than ours: there are processes that use
 * them, whatever their daemon has written of it.
 */
export function usedMounts(mounts: readonly MountPoint[]): Set<string> {
  const devices = mounts.map(({ path }) => deviceOf(path));
  if (devices.every((device) => device === undefined)) return new Set();
  const seen = new Set([...otherNamespaces()].flatMap(devicesIn));
  return new Set(mounts.flatMap(({ path }, index) => (seen.has(devices[index] ?? "") ? path : [])));
}

/** As mountinfo has it: `0:52`. */
function deviceOf(path: string): string | undefined {
  try {
    const { dev } = lstatSync(encodeName(path), { bigint: true });
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
    return `${major}:${minor}`;
  } catch {
    return undefined;
  }
}

/** A process of each mount namespace but ours. Those that may not be looked at are passed over. */
function otherNamespaces(): Iterable<string> {
  const own = readlinkSync("/proc/self/ns/mnt");
  const found = new Map<string, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const namespace = tried(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (namespace !== undefined && namespace !== own) found.set(namespace, pid);
  }
  return found.values();
}

function devicesIn(pid: string): string[] {
  const lines = tried(() => readFileSync(`/proc/${pid}/mountinfo`, "latin1")) ?? "";
  return lines.split("\n").flatMap((line) => line.split(" ", 3)[2] ?? []);
}

/** Processes end while they are looked at. */
function tried<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
