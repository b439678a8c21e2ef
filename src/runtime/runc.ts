import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { StandardStream } from "../sys/index.js";
import { RuntimeFailure } from "./failure.js";

/** Where containers are run, and by what. */
export interface RuntimePlace {
  /** The run directory: short-lived state, below `/run`. */
  readonly directory: string;
  /** Name or path of `runc`, or of one that takes the same arguments. */
  readonly runtime: string;
  /** What it is given before anything else. */
  readonly runtimeArgs?: readonly string[];
  /** How programs are started; as Node does it by default. */
  readonly run?: RunProgram;
}

/** Runs a program to its end. @returns its exit status, as a shell says it @throws an error with `code`: it does not start */
export type RunProgram = (file: string, args: readonly string[], streams: readonly StandardStream[]) => Promise<number>;

export interface RuncOptions {
  /** Of the program, which hands them on to a detached container; nothing at all by default. */
  readonly streams?: readonly StandardStream[];
  /** Path without suffix for the runtime's log. */
  readonly scratch: string;
}

/** Runs the runtime to its end. @throws Error with what it says is wrong, in its own words */
export async function runc(
  { directory, runtime, runtimeArgs = [], run = runByNode }: RuntimePlace,
  args: readonly string[],
  { scratch, streams = [] }: RuncOptions,
): Promise<void> {
  const log = `${scratch}.log`;
  const all = [...runtimeArgs, "--root", runcRoot(directory), "--log", log, "--log-format", "json", ...args];
  try {
    const status = await run(runtime, all, streams).catch((error: NodeJS.ErrnoException) => {
      throw new Error(notStarted(runtime, error), { cause: error });
    });
    if (status !== 0) throw new Error(lastError(log) ?? `${runtime}: exit status ${status}`);
  } finally {
    rmSync(log, { force: true });
  }
}

const runByNode: RunProgram = (file, args, [stdin = "ignore", stdout = "ignore", stderr = "ignore"]) =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: [stdin, stdout, stderr], cwd: "/" });
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });

export function runcRoot(directory: string): string {
  return join(directory, "runc");
}

function notStarted(runtime: string, error: Error): string {
  return (error as NodeJS.ErrnoException).code === "ENOENT"
    ? `exec: "${runtime}": executable file not found in $PATH`
    : `exec: "${runtime}": ${error.message}`;
}

/** Each line is `{"level":"error","msg":"…","time":"…"}`. */
function lastError(log: string): string | undefined {
  const text = existsSync(log) ? readFileSync(log, "utf8") : "";
  const lines = text.trim().split("\n").filter(Boolean);
  const entries = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
  return (entries.findLast(({ level }) => level === "error" || level === "fatal") ?? entries.at(-1))?.msg.trim();
}

/** What the runtime said of a failed start, as a client of Docker reads it. `runc run` is `create` and `start` in one. */
export function createFailure(error: unknown): RuntimeFailure {
  const said = (error instanceof Error ? error.message : String(error)).replace(
    /^runc run failed/,
    "runc create failed",
  );
  return new RuntimeFailure(`OCI runtime create failed: ${said}: unknown`, { cause: error });
}

export function execFailure(error: unknown): RuntimeFailure {
  const said = error instanceof Error ? error.message : String(error);
  return new RuntimeFailure(`OCI runtime exec failed: ${said}: unknown`, { cause: error });
}
