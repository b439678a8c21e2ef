import { type StdioOptions, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RuntimeFailure } from "./failure.js";

/** Where containers are run, and by what. */
export interface RuntimePlace {
  /** The run directory: short-lived state, below `/run`. */
  readonly directory: string;
  /** Name or path of `runc`, or of one that takes the same arguments. */
  readonly runtime: string;
  /** What it is given before anything else. */
  readonly runtimeArgs?: readonly string[];
}

export interface RuncOptions {
  /** Of the program, which hands them on to a detached container; nothing at all by default. */
  readonly stdio?: StdioOptions;
  /** Path without suffix for the runtime's log. */
  readonly scratch: string;
}

/** Runs the runtime to its end. @throws Error with what it says is wrong, in its own words */
export async function runc(
  { directory, runtime, runtimeArgs = [] }: RuntimePlace,
  args: readonly string[],
  options: RuncOptions,
): Promise<void> {
  const log = `${options.scratch}.log`;
  const child = spawn(
    runtime,
    [...runtimeArgs, "--root", runcRoot(directory), "--log", log, "--log-format", "json", ...args],
    {
      stdio: options.stdio ?? "ignore",
      cwd: "/",
    },
  );
  const ended = await new Promise<number | string>((resolve, reject) => {
    child.on("error", (error) => reject(new Error(notStarted(runtime, error), { cause: error })));
    child.on("exit", (code, signal) => resolve(code ?? `it was killed by ${signal}`));
  });
  try {
    if (ended !== 0) throw new Error(lastError(log) ?? `${runtime}: exit status ${ended}`);
  } finally {
    rmSync(log, { force: true });
  }
}

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
