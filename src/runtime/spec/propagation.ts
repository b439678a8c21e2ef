import { readFile, realpath } from "node:fs/promises";
import { RuntimeFailure } from "../failure.js";
import type { SetupMount } from "./setup.js";

/** How mounts made on one side of a bind come to the other, and what the container's root has to be for that. */
export interface Propagation {
  /** Of the bind; undefined: not set. */
  readonly option: string | undefined;
  readonly root: "shared" | "rslave" | undefined;
}

/** @throws RuntimeFailure: the source's mount does not propagate, in Docker's words */
export async function propagationOf(mount: SetupMount): Promise<Propagation> {
  const { source, propagation: option = "", propagationIsImplied: implied = false } = mount;
  if (/^r?shared$/.test(option)) {
    await check(source, /^shared:/, "it is not a shared mount");
    return { option, root: "shared" };
  }
  if (/^r?slave$/.test(option)) {
    try {
      await check(source, /^(shared|master):/, "it is not a shared or slave mount");
    } catch (error) {
      if (!implied) throw error;
      return { option, root: undefined };
    }
    return { option, root: "rslave" };
  }
  return { option: option || undefined, root: undefined };
}

async function check(source: string, tag: RegExp, complaint: string): Promise<void> {
  const { point, tags } = await mountOf(source);
  if (tags.some((each) => tag.test(each))) return;
  throw new RuntimeFailure(`path ${source} is mounted on ${point} but ${complaint}`);
}

/** The mount a path is on. @see proc_pid_mountinfo(5) */
async function mountOf(source: string): Promise<{ point: string; tags: string[] }> {
  const path = await realpath(source);
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).trimEnd().split("\n");
  const mounts = lines.map((line) => {
    const [, , , , point = "", , ...rest] = line.split(" ");
    return { point: unescaped(point), tags: rest.slice(0, rest.indexOf("-")) };
  });
  const above = mounts.filter(({ point }) => path === point || path.startsWith(point === "/" ? "/" : `${point}/`));
  // Of two mounts on one point the later one is on top.
  const best = above.reduce((a, b) => (b.point.length >= a.point.length ? b : a), { point: "", tags: [] as string[] });
  return best;
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}
