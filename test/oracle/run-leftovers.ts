import { createHash } from "node:crypto";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { runsBelow } from "./layerkitd.js";

export interface KnownContainers {
  /** Ids of those that run. */
  readonly running: readonly string[];
  /** Ids of those that do not, removed ones too. */
  readonly others: readonly string[];
}

/**
 * What is left of containers that do not run: mounts below the data root, entries of its run directory, control groups,
 * processes; and what those that run lack of it. One line each. Reads the kernel's files, and none of our code.
 */
export function runLeftovers(root: string, { running, others }: KnownContainers): string[] {
  const real = realpathSync(root);
  const run = join(runsBelow, createHash("sha256").update(real).digest("hex").slice(0, 12));
  const merged = running.map((id) => read(join(real, "image/overlay2/layerdb/mounts", id, "mount-id")));
  const kept = [...running, ...merged];
  const isKept = (name: string) => kept.some((id) => name.includes(id));
  const mounts = lines("/proc/self/mounts").map((line) => line.split(" ")[1] ?? "");
  const below = mounts.filter((path) => path.startsWith(`${real}/`) || path.startsWith(`${run}/`));
  const entries = ["processes", "containers", "runc", "netns"].flatMap((name) =>
    names(join(run, name)).map((entry) => join(name, entry)),
  );
  const processes = names("/proc").filter((name) => /^\d+$/.test(name));
  const ofProcesses = processes.map((pid) => [pid, read(`/proc/${pid}/cgroup`)] as const);
  return [
    ...below.filter((path) => !isKept(path)).map((path) => `left mounted: ${path}`),
    ...entries.filter((entry) => !isKept(entry)).map((entry) => `left in the run directory: ${entry}`),
    ...cgroups().flatMap((path) => (others.some((id) => path.endsWith(id)) ? [`left: ${path}`] : [])),
    ...ofProcesses.flatMap(([pid, cgroup]) =>
      others.some((id) => cgroup.includes(id)) ? [`left running: ${pid} ${read(`/proc/${pid}/cmdline`)}`] : [],
    ),
    ...running.flatMap((id) =>
      ofProcesses.some(([, cgroup]) => cgroup.includes(id)) ? [] : [`has no process: container ${id}`],
    ),
    ...merged.flatMap((id) => (mounts.some((path) => path.includes(id)) ? [] : [`is not mounted: ${id}`])),
  ];
}

/** Control groups of containers, of every controller. */
function cgroups(): string[] {
  const top = "/sys/fs/cgroup";
  return ["", ...names(top)].flatMap((name) => {
    const directory = join(top, name, "docker");
    return names(directory).map((entry) => join(directory, entry));
  });
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function lines(file: string): string[] {
  return read(file).split("\n").filter(Boolean);
}

/** Empty when it is not there, or gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
