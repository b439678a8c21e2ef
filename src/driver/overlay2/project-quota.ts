import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../../spec/index.js";
import {
  AT_FDCWD,
  close,
  getProject,
  mknodat,
  O,
  openat,
  projectQuotaState,
  S,
  setProject,
  setProjectLimit,
} from "../../sys/index.js";

/** Limits directories by XFS project quotas, one project a directory. @see docker-data-root 2.6 */
export class ProjectQuota {
  readonly #device: string;
  #next: number;

  private constructor(device: string, next: number) {
    this.#device = device;
    this.#next = next;
  }

  /** @returns undefined: the file system of `home` does not count and enforce project quotas */
  static async open(home: string): Promise<ProjectQuota | undefined> {
    const device = await blockDevice(home);
    if (device === undefined || !isEnforced(device)) return undefined;
    const base = projectOf(home);
    // A trial: the kernel may know quotas and still let nobody set one.
    setProjectLimit(device, base + 1, 0);
    return new ProjectQuota(device, (await highestProject(home, base)) + 1);
  }

  /** Limits what is in `dir`, which has to be empty: what is made in it is counted with it. */
  limit(dir: string, bytes: number): void {
    const id = this.#next++;
    withOpen(dir, (fd) => setProject(fd, id));
    setProjectLimit(this.#device, id, bytes);
  }
}

/** The block node of the home's file system, made anew: the device may have another number at each start. */
async function blockDevice(home: string): Promise<string | undefined> {
  const node = join(home, "backingFsBlockDev");
  const dev = (await stat(home, { bigint: true })).dev;
  const major = Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n));
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n));
  try {
    await rm(node, { force: true });
    mknodat(AT_FDCWD, node, S.IFBLK | 0o600, major, minor);
    return node;
  } catch (error) {
    if (isErrno(error, "EPERM", "ENOSYS")) return undefined;
    throw error;
  }
}

function isEnforced(device: string): boolean {
  try {
    const { counted, enforced } = projectQuotaState(device);
    return counted && enforced;
  } catch {
    // Not built into the kernel, not switched on at mounting, not allowed: all mean that there is none.
    return false;
  }
}

/** The highest id in use: of the layers' directories, or one level below, where other drivers put it. */
async function highestProject(home: string, base: number): Promise<number> {
  let highest = base + 1;
  for (const entry of await readdir(home, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const dir = join(home, entry.name);
    const id = projectOf(dir);
    highest = Math.max(highest, id);
    if (id !== 0 && id !== base) continue;
    for (const inner of await readdir(dir, { withFileTypes: true })) {
      if (inner.isDirectory()) highest = Math.max(highest, projectOf(join(dir, inner.name)));
    }
  }
  return highest;
}

function projectOf(dir: string): number {
  return existsSync(dir) ? withOpen(dir, getProject) : 0;
}

function withOpen<T>(dir: string, use: (fd: number) => T): T {
  const fd = openat(AT_FDCWD, dir, O.O_RDONLY | O.O_DIRECTORY);
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}
