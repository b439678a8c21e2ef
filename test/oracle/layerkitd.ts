import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dockerEnvironment } from "./dockerd.js";
import { output, type Ran, type RunOptions, run } from "./run.js";

/** The `layerkit` command as it is shipped. */
export const layerkitMain = fileURLToPath(new URL("../../bundle/esm/main.js", import.meta.url));

/** Where the run directories of all test daemons are. */
export const runsBelow = join(tmpdir(), "layerkit-run");

/** For the environment of all that is started here: what is remembered of data roots goes with the tests' other files. */
export const ownCache = () => ({ XDG_CACHE_HOME: join(tmpdir(), "layerkit-cache") });

/** `layerkit serve` on a data root, for the docker command. */
export class Layerkitd implements AsyncDisposable {
  readonly socket: string;
  readonly pid: number;
  /** Whether it listens now; false: it has ended. */
  readonly ready: Promise<boolean>;
  readonly #process: ChildProcess;
  readonly #own: string;
  #log = "";

  private constructor(own: string, child: ChildProcess) {
    this.#own = own;
    this.socket = join(own, "layerkit.sock");
    this.pid = child.pid ?? -1;
    this.#process = child;
    this.ready = new Promise<boolean>((resolve) => {
      const read = (chunk: Buffer) => {
        this.#log += chunk.toString();
        if (/ready/.test(this.#log)) resolve(true);
      };
      child.stdout?.on("data", read);
      child.stderr?.on("data", read);
      child.once("exit", () => resolve(false));
    });
  }

  /** Resolves when it listens. */
  static async start(root: string, args: readonly string[] = []): Promise<Layerkitd> {
    const daemon = await Layerkitd.launch(root, args);
    if (await daemon.ready) return daemon;
    await daemon[Symbol.asyncDispose]();
    throw new Error(`layerkit serve on ${root} does not start: ${daemon.log}`);
  }

  /**
   * Resolves when there is a process; `ready` tells when it listens.
   *
   * @param main what is run in place of the `layerkit` command
   */
  static async launch(root: string, args: readonly string[] = [], main = layerkitMain): Promise<Layerkitd> {
    const own = await mkdtemp(join(tmpdir(), "layerkit-serve-"));
    // The network of the machine that tests is left as it is, unless a test has one of its own.
    const alone = args.includes("--bridge") ? [] : ["--bridge", "none"];
    const socket = `unix://${join(own, "layerkit.sock")}`;
    const runs = ["--exec-root", runsBelow];
    const all = [main, "--root", root, "-H", socket, ...alone, ...runs, ...args, "serve"];
    const env = { ...process.env, ...ownCache() };
    return new Layerkitd(own, spawn(process.execPath, all, { stdio: ["ignore", "pipe", "pipe"], env }));
  }

  /** What it has said. */
  get log(): string {
    return this.#log;
  }

  /** Runs the docker command against it; it has to succeed. @returns its standard output, trimmed */
  async docker(...args: readonly string[]): Promise<string> {
    return (await output("docker", ["-H", `unix://${this.socket}`, ...args], dockerEnvironment)).trim();
  }

  /** The same to any end. */
  tryDocker(args: readonly string[], options?: RunOptions): Promise<Ran> {
    return run("docker", ["-H", `unix://${this.socket}`, ...args], { ...options, ...dockerEnvironment });
  }

  /** Ends it as a crash would. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exit = once(this.#process, "exit");
      if (!this.#process.killed) this.#process.kill("SIGTERM");
      await exit;
    }
    await rm(this.#own, { recursive: true, force: true });
  }
}
