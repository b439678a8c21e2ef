import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Dockerd } from "../test/oracle/dockerd.js";
import { call } from "./api.js";

/** An engine that speaks Docker's API on a socket. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly socket: string;
  /** The most memory its processes have held, in bytes, since they started. */
  peakMemory(): Promise<number>;
}

const main = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));

export async function startLayerkit(root: string): Promise<Contender> {
  await mkdir(root, { recursive: true });
  const socket = join(root, "layerkit.sock");
  const args = [main, "--root", join(root, "data"), "-H", `unix://${socket}`, "serve"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  await answering(socket, child);
  return {
    name: "layerkit",
    socket,
    peakMemory: () => peakOf([child.pid as number]),
    [Symbol.asyncDispose]: async () => {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    },
  };
}

export async function startDockerd(root: string): Promise<Contender> {
  const dockerd = await Dockerd.start(root);
  return {
    name: "dockerd",
    socket: dockerd.socket,
    peakMemory: async () => peakOf([dockerd.pid, ...(await childrenOf(dockerd.pid))]),
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  };
}

async function answering(socket: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`layerkit serve ended with status ${child.exitCode}`);
    try {
      await call(socket, "/_ping");
      return;
    } catch {
      await delay(20);
    }
  }
}

async function peakOf(pids: readonly number[]): Promise<number> {
  const peaks = pids.map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  });
  return (await Promise.all(peaks)).reduce((sum, peak) => sum + peak, 0);
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir("/proc")).map(Number).filter(Boolean);
  const found: number[] = [];
  for (const each of pids) {
    const stat = await readFile(`/proc/${each}/stat`, "utf8").catch(() => "");
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid) found.push(each);
  }
  return found;
}
