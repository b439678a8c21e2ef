import { readFileSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isErrno } from "../spec/index.js";
import { type RuntimePlace, runc, runcRoot } from "./runc.js";

/** The part of the runtime's `state.json` that we read; `crun` writes another. */
interface StateFile {
  readonly cgroup_paths?: Readonly<Record<string, string>>;
  readonly config?: {
    readonly namespaces?: readonly { readonly type: string; readonly path: string }[];
    readonly Hooks?: Readonly<Record<string, unknown>> | null;
  };
}

/** What the runtime keeps of a container that it has started. */
export interface ContainerState {
  /** Absolute paths by controller; with cgroup v2 one, under "". */
  readonly cgroups: Readonly<Record<string, string>>;
  /** All its processes end with the first. */
  readonly ownPids: boolean;
  /** Something is to be run when it is deleted. */
  readonly hooks: boolean;
}

/** @returns undefined: there is no such container, or the runtime keeps its state in another form */
export function readContainerState(place: RuntimePlace, id: string): ContainerState | undefined {
  const text = readOrNothing(join(runcRoot(place.directory), id, "state.json"));
  const state = text === "" ? undefined : (JSON.parse(text) as StateFile);
  if (!state?.cgroup_paths || !state.config) return undefined;
  return {
    cgroups: state.cgroup_paths,
    ownPids: (state.config.namespaces ?? []).some(({ type, path }) => type === "NEWPID" && path === ""),
    hooks: Boolean(state.config.Hooks?.poststop),
  };
}

/** How many processes in these cgroups the kernel has killed for want of memory. @see memory.oom_control, memory.events */
export function oomKills({ cgroups }: ContainerState): number {
  const { memory, "": unified } = cgroups;
  const file = memory ? join(memory, "memory.oom_control") : unified && join(unified, "memory.events");
  const text = file ? readOrNothing(file) : "";
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Files of the kernel and of the run directory, which wait for no disk. */
function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/**
 * Deletes what is left of a container that has ended. What `runc delete` does for one whose processes are all gone is done
 * here, without a program to load; it has to do all others.
 */
export async function deleteContainer(
  place: RuntimePlace,
  id: string,
  state: ContainerState | undefined,
  scratch: string,
): Promise<void> {
  if (!state?.ownPids || state.hooks || !(await removeCgroups(Object.values(state.cgroups)))) {
    return runc(place, ["delete", "--force", id], { scratch });
  }
  await rm(join(runcRoot(place.directory), id), { recursive: true, force: true });
}

async function removeCgroups(paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map(removeCgroup))).every(Boolean);
}

/** @returns false: something is still in it */
async function removeCgroup(path: string): Promise<boolean> {
  // The kernel takes the last process out of its cgroup a little after its parent has been told of its end.
  for (const waitMs of [1, 5, 25, 0]) {
    try {
      await rmdir(path);
      return true;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return true;
      if (!isErrno(error, "EBUSY", "ENOTEMPTY")) return false;
    }
    // Files of a cgroup cannot be deleted, and go with it; a container may have made cgroups of its own below.
    const below = await readdir(path, { withFileTypes: true }).catch(() => []);
    await removeCgroups(below.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name)));
    if (waitMs > 0) await delay(waitMs);
  }
  return false;
}
