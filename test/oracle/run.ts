import { spawn } from "node:child_process";
import { program } from "./programs.js";

export interface Ran {
  readonly status: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** The same, undecoded. */
  readonly bytes: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Killed when it takes longer. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end, whatever that is. */
export function run(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(program(name), args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs, killSignal: "SIGKILL" }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => {}); // it need not read what it is given
  child.stdin.end(options.input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const bytes = Buffer.concat(stdout);
      const said = { stdout: bytes.toString(), stderr: Buffer.concat(stderr).toString() };
      resolve({ status: code ?? -1, signal, bytes, ...said });
    });
  });
}

/** Runs a program that has to succeed. @returns its standard output without the last line end */
export async function output(name: string, args: readonly string[], options?: RunOptions): Promise<string> {
  const ran = await run(name, args, options);
  if (ran.status !== 0) {
    const how = ran.signal ?? `status ${ran.status}`;
    throw new Error(`${name} ${args.join(" ")}: ${how}: ${(ran.stderr || ran.stdout).trim().slice(-2000)}`);
  }
  return ran.stdout.replace(/\n$/, "");
}
