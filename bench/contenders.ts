import { readdir, readFile } from "node:fs/promises";
import { Dockerd } from "../test/oracle/dockerd.js";
import { Layerkitd } from "../test/oracle/layerkitd.js";

/** An engine that speaks Docker's API on a socket. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly socket: string;
  /** The most memory its processes have held, in bytes, since they started. */
  peakMemory(): Promise<number>;
}

export async function startLayerkit(root: string): Promise<Contender> {
  const daemon = await Layerkitd.start(root);
  return {
    name: "layerkit",
    socket: daemon.socket,
    peakMemory: () => peakOf([daemon.pid]),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
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
