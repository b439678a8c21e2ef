import { readFileSync } from "node:fs";

/** Whether process `pid` is there and runs the container: its control groups are named after it. */
export function isRun(id: string, pid: number): boolean {
  if (pid <= 0) return false;
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(id);
  } catch {
    return false;
  }
}
