import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Conflict, messageOf } from "../../spec/index.js";
import type { TopResult } from "../api-process.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import { cgroupsOf, processesIn } from "./cgroups.js";
import { notRunning } from "./kill.js";

const run = promisify(execFile);

/** @see Processes.top */
export async function topOf(parts: ContainerParts, name: string, psArgs = "-ef"): Promise<TopResult> {
  const container = parts.store.find(name);
  const { ID: id, State: state } = container.stored;
  if (!state.Running) throw notRunning(id);
  if (state.Restarting) {
    throw new Conflict(`Container ${id} is restarting, wait until the container is running`);
  }
  const args = (psArgs || "-ef").split(/\s+/).filter(Boolean);
  const bad = args.find((arg) => /\bpid=/.test(arg));
  if (bad !== undefined) throw new Error(`specifying "${bad}" is not allowed`);
  const processes = table(await ps(args), new Set(pidsOf(state.Pid)));
  emitContainer(parts, container, "top");
  return processes;
}

/** Pids of a container's processes, found by one of them. */
function pidsOf(pid: number): number[] {
  const cgroups = cgroupsOf(pid);
  const own = ["pids", "memory", ""].map((name) => cgroups.get(name)).find((path) => path !== undefined);
  return own === undefined ? [pid] : processesIn(own);
}

async function ps(args: readonly string[]): Promise<string> {
  try {
    return (await run("ps", args, { maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n")[0];
    throw new Error(`ps: ${said || messageOf(error)}`, { cause: error });
  }
}

/** The lines of `ps` that are of these processes. @throws Error: there is no column PID */
function table(output: string, pids: ReadonlySet<number>): TopResult {
  const [head = "", ...lines] = output.split("\n");
  const Titles = head.split(/\s+/).filter(Boolean);
  const at = Titles.indexOf("PID");
  if (at < 0) throw new Error("Couldn't find PID field in ps output");
  const rows = lines.map((line) => columns(line, Titles.length)).filter((row) => pids.has(Number(row[at])));
  return { Titles, Processes: rows };
}

/** What is more than there are columns belongs to the last. */
function columns(line: string, count: number): string[] {
  const words = line.split(/\s+/).filter(Boolean);
  if (words.length <= count) return words;
  return [...words.slice(0, count - 1), words.slice(count - 1).join(" ")];
}
