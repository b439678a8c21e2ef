import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { output, type Ran, run } from "../oracle/run.js";

const victim = fileURLToPath(new URL("./victim.js", import.meta.url));

/** The calls that change what is on disk or mounted: between any two of them a kill can find the root. */
const calls = [
  "mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat",
  "ftruncate,fsync,fdatasync,syncfs,pwrite64,chmod,fchmod,fchmodat,lchown,fchown,fchownat,utimensat",
  "setxattr,lsetxattr,fsetxattr,mount,umount2,fsmount,move_mount",
]
  .flatMap((list) => list.split(","))
  .join(",");

export interface Killed {
  /** The operation was acknowledged before the end. */
  readonly done: boolean;
  /** It went through: the kill came too late, or never. */
  readonly survived: boolean;
}

/** The `nth` call of this name that any one thread makes. */
export interface Point {
  readonly call: string;
  readonly nth: number;
}

/**
 * Runs the operation, and kills it at that point.
 *
 * @throws when it fails by itself
 */
export async function killAt({ call, nth }: Point, args: readonly string[]): Promise<Killed> {
  const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${nth}`];
  return ended(
    await run("strace", [...quietly, "-o", "/dev/null", ...inject, process.execPath, victim, ...args]),
    args,
  );
}

/** Runs the operation whole. @returns all points at which it can be killed, in the order of one run */
export async function killPoints(args: readonly string[], log: string): Promise<Point[]> {
  await output("strace", [...quietly, "-o", log, "-e", `trace=${calls}`, process.execPath, victim, ...args]);
  const counts = new Map<string, number>();
  const points = new Map<string, Point>();
  for (const line of (await readFile(log, "utf8")).split("\n")) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || call === undefined) continue;
    const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, nth);
    points.set(`${call} ${nth}`, { call, nth });
  }
  return [...points.values()];
}

const quietly = ["-f", "-qqq"]; // with --seccomp-bpf strace 6.1 injects no signals

function ended({ status, signal, stdout, stderr }: Omit<Ran, "bytes">, args: readonly string[]): Killed {
  const killed = signal === "SIGKILL" || status === 137;
  if (!killed && status !== 0) throw new Error(`${args.join(" ")} failed by itself: ${stderr.slice(-2000)}`);
  return { done: stdout.includes("done"), survived: !killed };
}
