import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** The control groups of a process: absolute directories by controller; with version 2 alone one, under "". */
export type Cgroups = ReadonlyMap<string, string>;

/** Those a process is in, on version 1, 2 or both. None when it is gone. */
export function cgroupsOf(pid: number): Cgroups {
  const found = new Map<string, string>();
  for (const line of linesOf(`/proc/${pid}/cgroup`)) {
    const [, names = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of names.split(",")) {
      const mount = mounts().get(name);
      if (mount) found.set(name, join(mount.path, relative(mount.root, path)));
    }
  }
  return found;
}

/** Whether a process is stopped by its control group. */
export function isFrozen(pid: number): boolean {
  const { freezer, "": unified } = Object.fromEntries(cgroupsOf(pid));
  if (freezer) return textOf(join(freezer, "freezer.state")).trim() !== "THAWED";
  return numberIn(join(unified ?? "/nonexistent", "cgroup.freeze")) === 1;
}

interface Hierarchy {
  readonly path: string;
  readonly root: string;
}

let known: ReadonlyMap<string, Hierarchy> | undefined;

/** Where each controller is mounted, and which of its groups is seen there. They do not change while the system runs. */
function mounts(): ReadonlyMap<string, Hierarchy> {
  if (known) return known;
  const found = new Map<string, Hierarchy>();
  for (const line of linesOf("/proc/self/mountinfo")) {
    const [, , , root = "/", path = ""] = line.split(" ");
    const [, type, , options = ""] = / - (\S+) (\S+) (\S+)$/.exec(line) ?? [];
    if (type === "cgroup2") found.set("", { path, root });
    if (type === "cgroup") for (const name of options.split(",")) found.set(name, { path, root });
  }
  known = found;
  return found;
}

/** Pids of all processes in a group and in the groups below it. */
export function processesIn(cgroup: string): number[] {
  const own = linesOf(join(cgroup, "cgroup.procs")).map(Number);
  return [...own, ...groupsBelow(cgroup).flatMap(processesIn)];
}

function groupsBelow(cgroup: string): string[] {
  try {
    const entries = readdirSync(cgroup, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(cgroup, name));
  } catch {
    return [];
  }
}

/** The lines of a file of the kernel's; none when it is not there. */
export function linesOf(path: string): string[] {
  return textOf(path).split("\n").filter(Boolean);
}

export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** A file that holds one number; undefined when it is not there, or says `max`. */
export function numberIn(path: string): number | undefined {
  const text = textOf(path).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** A file of `name number` lines. */
export function tableIn(path: string): Record<string, number> {
  return Object.fromEntries(
    linesOf(path).map((line) => {
      const [name = "", value] = line.split(" ");
      return [name, Number(value)];
    }),
  );
}
