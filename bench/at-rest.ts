import { readdir, readFile, readlink } from "node:fs/promises";
import type { Contender } from "./contenders.js";
import { heldBy } from "./memory.js";
import { removeContainer, startIdle } from "./work.js";

const many = 20;

/** Bytes that a daemon and all who look after its containers hold, shared pages by their share. */
export interface AtRest {
  readonly none: number;
  /** With twenty containers that do nothing, without the containers' own. */
  readonly many: number;
  /** By process name. */
  readonly parts: ReadonlyMap<string, number>;
}

/** Memory of an engine at rest, without containers and with twenty; the image has to be there. */
export async function atRest(on: Contender): Promise<AtRest> {
  const none = sum(await held(on));
  const names = Array.from({ length: many }, (_, index) => `idle-${index}`);
  for (const name of names) await startIdle(on, name);
  const parts = await held(on);
  for (const name of names) await removeContainer(on, name);
  return { none, many: sum(parts), parts };
}

export function told(name: string, { none, many: all, parts }: AtRest): string {
  const mega = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const each = [...parts].map(([part, bytes]) => `${part} ${mega(bytes)}`).join(", ");
  return `  ${name.padEnd(12)} ${mega(none)}; with ${many} containers ${mega(all)}, ${mega((all - none) / many)} each (${each})`;
}

/** The daemon's processes, and those that have a file of the run directory open or name it. */
async function held({ pids, runDirectory = "/nowhere" }: Contender): Promise<Map<string, number>> {
  const daemon = await pids();
  const all = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const parts = new Map<string, number>();
  for (const pid of all) {
    if (!daemon.includes(pid) && !(await isOf(pid, runDirectory))) continue;
    const name = (await textOf(`/proc/${pid}/comm`)).trim();
    parts.set(name, (parts.get(name) ?? 0) + (await heldBy(pid)));
  }
  return parts;
}

async function isOf(pid: number, directory: string): Promise<boolean> {
  if ((await textOf(`/proc/${pid}/cmdline`)).includes(directory)) return true;
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  return targets.some((target) => target.startsWith(`${directory}/`));
}

function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

function sum(parts: ReadonlyMap<string, number>): number {
  return [...parts.values()].reduce((total, bytes) => total + bytes, 0);
}
