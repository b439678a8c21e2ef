import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { program } from "./programs.js";
import { output } from "./run.js";

/** A program at a terminal of its own, which script(1) makes. */
export class Terminal implements AsyncDisposable {
  /** What the program ended with; 128 and the signal where one killed it. */
  readonly status: Promise<number>;
  readonly #script: ChildProcess;
  #device = "";
  #shown = "";
  #read = 0;

  private constructor(script: ChildProcess) {
    this.#script = script;
    this.status = once(script, "close").then(([code]) => code as number);
    script.stdin?.on("error", () => {}); // nobody types at what has ended
    script.stdout?.on("data", (chunk: Buffer) => {
      this.#shown += chunk.toString("latin1");
    });
  }

  /** @param env added to ours; size 24 by 80 */
  static async open(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const command = [program(name), ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const before = "tty; stty rows 24 cols 80; set -- $(stty -g)";
    const after = 's=$?; [ "$(stty -g)" = "$1" ] || echo "the terminal is left changed"; exit $s';
    const script = ["-qefc", `${before}; ${command}; ${after}`, "/dev/null"];
    const terminal = new Terminal(spawn(program("script"), script, { env: { ...process.env, ...env } }));
    terminal.#device = (await terminal.until("\n")).trim();
    return terminal;
  }

  /**
   * Resolves to what is shown from the last call on to the end of `text`, when that is there.
   *
   * @throws it ended before, or half a minute is over
   */
  async until(text: string): Promise<string> {
    for (const late = AbortSignal.timeout(30_000); ; ) {
      const at = this.#shown.indexOf(text, this.#read);
      if (at >= 0) {
        const end = at + text.length;
        const shown = this.#shown.slice(this.#read, end);
        this.#read = end;
        return shown;
      }
      if (this.#script.exitCode !== null || this.#script.signalCode !== null || late.aborted)
        throw new Error(`${JSON.stringify(text)} is not shown: ${JSON.stringify(this.rest)}`);
      const more = once(this.#script.stdout as NodeJS.ReadableStream, "data", { signal: late });
      await Promise.race([more.catch(() => {}), this.status]);
    }
  }

  /** What is shown after that. */
  get rest(): string {
    return this.#shown.slice(this.#read);
  }

  type(text: string): void {
    this.#script.stdin?.write(text);
  }

  /** Changes the window's size. */
  async resize(rows: number, columns: number): Promise<void> {
    await output("stty", ["-F", this.#device, "rows", String(rows), "cols", String(columns)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#script.exitCode === null) this.#script.kill("SIGHUP");
    await this.status;
  }
}
