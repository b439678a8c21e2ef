import { output, type Ran, type RunOptions } from "./run.js";

/** Either daemon, as the docker command sees it. */
export interface Daemon {
  tryDocker(args: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** One command of the script; sorted where docker's own order is random: changes, images of one second. */
export interface Step {
  readonly args: readonly string[];
  readonly options?: RunOptions;
  readonly sorted?: true;
  /** Takes a tar on standard output apart. */
  readonly tar?: true;
  /** Is repeated until standard output has it. */
  readonly until?: string;
}

/** Steps as they read best: the words of a command, and after them what is special about it. */
export function stepsOf(lines: readonly (string | Omit<Step, "args">)[][]): Step[] {
  return lines.map((line) => ({
    args: line.filter((part) => typeof part === "string"),
    ...(line.find((part) => typeof part !== "string") as Omit<Step, "args"> | undefined),
  }));
}

/** What the docker command says to each step, and the daemon ends. What may differ between daemons is taken out. */
export async function said(daemon: Daemon & AsyncDisposable, steps: readonly Step[]) {
  await using served = daemon;
  const ids = new Map<string, string>();
  const all: { status: number; stdout: string[]; stderr: string[] }[] = [];
  for (const { args, options, sorted, tar, until = "" } of steps) {
    const { status, stdout, bytes, stderr } = await once(() => served.tryDocker(args, options), until);
    const text = tar && status === 0 ? await tarListing(bytes) : stdout;
    const lines = neutral(text, ids).split("\n");
    all.push({ status, stdout: sorted ? lines.sort() : lines, stderr: neutral(stderr, ids).split("\n") });
  }
  return all;
}

/** Again and again, until its output has a text: half a minute at most. */
async function once(ask: () => Promise<Ran>, text: string): Promise<Ran> {
  for (const end = Date.now() + 30_000; ; ) {
    const ran = await ask();
    if (ran.stdout.includes(text) || Date.now() > end) return ran;
  }
}

/** Types, modes, names, sizes and link targets of a tar; its digest-named members are the same on both sides. */
async function tarListing(tar: Buffer): Promise<string> {
  const lines = await output("tar", ["--numeric-owner", "-tvf", "-"], { input: tar });
  return lines
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, "TIME")
    .split("\n")
    .sort()
    .join("\n");
}

/** What a daemon without IP forwarding warns of. */
const warning = /^(WARNING: )?IPv4 forwarding is disabled.*\n/gm;

/** Ids by the order of their appearance, ages left out: what may differ between two daemons. */
function neutral(text: string, ids: Map<string, string>): string {
  const chosen = text
    .replace(/container [0-9a-f]{12} is using/g, "container ID is using") // any of them
    .replace("failed to create shim task: ", "") // containerd's words, which dockerd passes on
    .replace(/^\d+ {2,}/gm, "PID  ");
  const aged = chosen
    .replace(warning, "")
    .replace(/CREATED {2,}/g, "CREATED  ")
    .replace(/(About an? \w+|Less than a second|\d+ \w+) ago */g, "AGO ")
    .replace(/\bUp (About an? \w+|Less than a second|\d+ \w+) */g, "Up AGE ");
  const dated = aged.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, "TIME");
  return dated.replace(/\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b/g, (id) => {
    const short = id.slice(0, 12);
    if (!ids.has(short)) ids.set(short, `ID${ids.size + 1}`);
    return ids.get(short) as string;
  });
}
