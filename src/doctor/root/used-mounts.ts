import { lstatSync } from "node:fs";
import type { MountPoint } from "../../disk/index.js";
import { encodeName } from "../../spec/index.js";
import { mountNamespaces } from "./mount-namespaces.js";

/**
 * Paths of the mounts whose file systems are seen at another place in another mount namespace than ours, as a container
 * has its root and its shared memory: there are processes that use them, whatever their daemon has written of it. Who
 * was only given a copy of all our mounts sees them where we do, and uses none.
 */
export function usedMounts(mounts: readonly MountPoint[]): Set<string> {
  const paths = new Map<string, string>();
  for (const { path } of mounts) {
    const device = deviceOf(path);
    if (device !== undefined) paths.set(device, path);
  }
  const used = new Set<string>();
  for (const { isOwn, mountinfo } of paths.size === 0 ? [] : mountNamespaces().all) {
    for (const { device, point } of isOwn ? [] : mountsIn(mountinfo)) {
      const path = paths.get(device);
      if (path !== undefined && point !== path) used.add(path);
    }
  }
  return used;
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

/** @see proc(5): `36 35 98:0 /root /point …` */
function* mountsIn(mountinfo: string): Generator<{ readonly device: string; readonly point: string }> {
  for (const line of mountinfo.split("\n")) {
    const [, , device = "", , point = ""] = line.split(" ", 5);
    yield { device, point };
  }
}
