import { type ChildProcess, fork } from "node:child_process";

/** What is to be run. `env` is all that it gets. */
export interface Asked {
  readonly id: number;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string | undefined;
  readonly input?: string | Uint8Array | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface Ended {
  readonly status: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** How it went; `error`: it could not be started. */
export interface Told {
  readonly id: number;
  readonly ended?: Ended;
  readonly error?: { readonly message: string };
}

interface Waiting {
  resolve(ended: Ended): void;
  reject(error: Error): void;
}

const waiting = new Map<number, Waiting>();
let runner: ChildProcess | undefined;
let asked = 0;

/**
 * Runs a program to its end in a small process that is kept for this. Making a child of a process takes as long as the
 * process is large, and all tests of many files are in one: it was a fifth of what they spent.
 */
export function runElsewhere(what: Omit<Asked, "id">): Promise<Ended> {
  const id = asked++;
  runner ??= start();
  const { channel } = runner;
  channel?.ref();
  return new Promise<Ended>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    runner!.send({ id, ...what } satisfies Asked, (error) => error && settle({ id, error }));
  });
}

function start(): ChildProcess {
  const path = new URL("runner.program.js", import.meta.url).pathname;
  const child = fork(path, { serialization: "advanced", execArgv: [] });
  child.unref();
  child.on("message", (told: Told) => settle(told));
  child.once("close", () => {
    runner = undefined;
    for (const id of waiting.keys()) settle({ id, error: new Error("the process that runs programs has ended") });
  });
  return child;
}

/** While nothing runs, the process is not kept from ending. */
function settle({ id, ended, error }: Told): void {
  const who = waiting.get(id);
  waiting.delete(id);
  if (waiting.size === 0) runner?.channel?.unref();
  if (ended) who?.resolve(ended);
  else who?.reject(Object.assign(new Error(error?.message), error));
}
