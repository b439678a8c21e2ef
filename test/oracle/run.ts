import { program } from "./programs.js";
import { runElsewhere } from "./runner.js";

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
export async function run(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { ...process.env, ...options.env };
  const { stdout, stderr, ...ended } = await runElsewhere({ file: program(name), args, ...options, env });
  return { ...ended, bytes: stdout, stdout: stdout.toString(), stderr: stderr.toString() };
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
