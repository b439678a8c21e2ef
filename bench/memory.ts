import { readdir, readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

/** Between two looks: often enough for a helper that unpacks one layer, seldom enough to cost nothing. */
const betweenMs = 50;

/** Bytes that a process holds, shared pages by their share; 0 when it is gone. @see proc(5), smaps_rollup */
export async function heldBy(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}

/**
 * The most that these processes and all that they start hold at one time while `work` goes on, as far as looking
 * now and then can tell: an engine that has its layers unpacked by programs of its own pays for those too.
 */
export async function peakWhile(pids: readonly number[], work: () => Promise<void>): Promise<number> {
  const done = new AbortController();
  const watched = watch(pids, done.signal);
  try {
    await work();
  } finally {
    done.abort();
  }
  return await watched;
}

async function watch(pids: readonly number[], done: AbortSignal): Promise<number> {
  let peak = 0;
  do {
    const held = await Promise.all((await withDescendants(pids)).map(heldBy));
    peak = Math.max(
      peak,
      held.reduce((sum, each) => sum + each, 0),
    );
    await setTimeout(betweenMs, undefined, { signal: done }).catch(() => {});
  } while (!done.aborted);
  return peak;
}

async function withDescendants(pids: readonly number[]): Promise<number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const parents = new Map(await Promise.all(all.map(async (pid) => [Number(pid), await parentOf(pid)] as const)));
  const found = [...pids];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return [...new Set(found)];
}

/** @see proc(5), /proc/PID/stat: pid (comm) state ppid */
async function parentOf(pid: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}
