import { readdirSync, readlinkSync } from "node:fs";

/** How many descriptors this process has open at or below `dir`. Others come and go with the threads of other tests. */
export function openBelow(dir: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => targetOf(fd).startsWith(dir)).length;
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // closed meanwhile
  }
}
