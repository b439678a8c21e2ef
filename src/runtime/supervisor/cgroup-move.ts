import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Has the kernel begin what a move of a process to another cgroup waits for. The first move takes a grace period of RCU,
 * some 10 ms, those within a moment after it nothing: so that passes while the runtime, which is to move a process,
 * starts up. This process is moved to where it is. Where that cannot be done the runtime waits itself.
 *
 * @returns whether it could @see kernel/cgroup/cgroup.c, cgroup_attach_lock; kernel/rcu/sync.c
 */
export async function anticipateMove(): Promise<boolean> {
  try {
    for (const path of listsOf(await readFile("/proc/self/cgroup", "utf8"))) if (await stays(path)) return true;
  } catch {
    // A kernel without cgroups.
  }
  return false;
}

/** Has the kernel move whoever writes, which is what 0 means, with all of its threads. */
function stays(path: string): Promise<boolean> {
  return writeFile(path, "0", { flag: "r+" }).then(
    () => true,
    () => false,
  );
}

/** Where the processes of each cgroup are listed, if its hierarchy is mounted where all are. @param text lines of /proc/PID/cgroup */
function* listsOf(text: string): Generator<string> {
  for (const [, hierarchy, controllers = "", path = ""] of text.matchAll(/^(\d+):([^:\n]*):(.*)$/gm)) {
    const places = hierarchy === "0" ? ["", "unified"] : [controllers.replace(/^name=/, "")];
    for (const place of places) yield join("/sys/fs/cgroup", place, path, "cgroup.procs");
  }
}
