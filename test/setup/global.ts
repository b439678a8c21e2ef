import { existsSync, statSync } from "node:fs";
import { access, chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { find } from "../oracle/programs.js";
import { output } from "../oracle/run.js";

const memory = "/dev/shm";
/** Process ids mean something within their namespace only, and /dev/shm may be seen from several. */
const prefix = `lk-${statSync("/proc/self/ns/pid").ino}-`;

/**
 * vitest's global set-up. Temporary files of all tests go to an ext4 in memory, where the many fsyncs of a store cost
 * nothing and times are steady; where that cannot be had they stay where they would be.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  await sweep();
  const place = join(memory, `${prefix}${process.pid}`);
  try {
    await mounted(place);
  } catch {
    await given(place);
    return undefined;
  }
  process.env.TMPDIR = place;
  return () => given(place);
}

async function mounted(place: string): Promise<void> {
  await access("/dev/loop-control");
  await mkdir(place);
  await output("truncate", ["-s", "16G", `${place}.image`]);
  await output("mkfs.ext4", ["-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", "-i", "8192", `${place}.image`]);
  await output("mount", ["-o", "loop,discard", `${place}.image`, place]);
  await chmod(place, 0o1777);
}

async function given(place: string): Promise<void> {
  if (find("umount")) await output("umount", ["--lazy", place]).catch(() => {});
  await rm(place, { recursive: true, force: true });
  await rm(`${place}.image`, { force: true });
}

/** Takes away what runs that were killed have left. */
async function sweep(): Promise<void> {
  const names = await readdir(memory).catch(() => []);
  const pids = names.map((name) => new RegExp(`^${prefix}(\\d+)$`).exec(name)?.[1]).filter((pid) => pid !== undefined);
  for (const pid of pids.filter((each) => !existsSync(`/proc/${each}`))) await given(join(memory, prefix + pid));
}
