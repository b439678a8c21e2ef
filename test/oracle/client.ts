import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dockerEnvironment } from "./dockerd.js";
import { program } from "./programs.js";

/** The docker command at work: what it shows is read, and it is typed at, while it goes on. */
export class Client {
  /** When it has ended: with -1 where a signal ended it. */
  readonly ended: Promise<{ status: number; stdout: string; stderr: string }>;
  readonly #child: ChildProcess;
  readonly #said = { stdout: "", stderr: "" };

  constructor({ socket }: { readonly socket: string }, args: readonly string[]) {
    const env = { ...process.env, ...dockerEnvironment.env };
    this.#child = spawn(program("docker"), ["-H", `unix://${socket}`, ...args], { env });
    for (const name of ["stdout", "stderr"] as const)
      this.#child[name]?.on("data", (chunk: Buffer) => {
        this.#said[name] += chunk.toString();
      });
    this.#child.stdin?.on("error", () => {}); // it need not read what it is given
    this.ended = once(this.#child, "close").then(([status]) => ({ status: status ?? -1, ...this.#said }));
  }

  /** Resolves when standard output has a text so many times. @throws it ended before, or half a minute is over */
  async until(text: string, times = 1): Promise<void> {
    const late = AbortSignal.timeout(30_000);
    while (this.#said.stdout.split(text).length <= times) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null || late.aborted)
        throw new Error(`${JSON.stringify(text)} is not said: ${JSON.stringify(this.#said)}`);
      const more = once(this.#child.stdout as NodeJS.ReadableStream, "data", { signal: late });
      await Promise.race([more.catch(() => {}), this.ended]);
    }
  }

  /** Without a text, standard input ends. */
  type(text?: string): void {
    if (text === undefined) this.#child.stdin?.end();
    else this.#child.stdin?.write(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
