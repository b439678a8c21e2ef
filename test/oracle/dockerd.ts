import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { program } from "./programs.js";
import { output, type Ran, type RunOptions, run } from "./run.js";

export interface DockerdOptions {
  readonly driver?: "overlay2" | "overlay" | "vfs";
  readonly args?: readonly string[];
  /** Changes the command that is run, which has to become dockerd without a process between. */
  readonly wrap?: (command: readonly string[]) => readonly string[];
}

/** A real dockerd on a data root: the judge of what we write. Without network and iptables. */
export class Dockerd implements AsyncDisposable {
  readonly dataRoot: string;
  readonly socket: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #own: string;
  readonly #mountsBefore: number;

  private constructor(dataRoot: string, own: string, mountsBefore: number, child: ChildProcess) {
    this.dataRoot = dataRoot;
    this.socket = join(own, "docker.sock");
    this.pid = child.pid ?? -1;
    this.#own = own;
    this.#mountsBefore = mountsBefore;
    this.#process = child;
  }

  /** Resolves when it answers. @throws with the end of its log when it does not start */
  static async start(dataRoot: string, options: DockerdOptions = {}): Promise<Dockerd> {
    const { driver = "overlay2", args = [], wrap = (command) => command } = options;
    const own = await mkdtemp(join(tmpdir(), "layerkit-dockerd-"));
    const mountsBefore = await mountsOn(dataRoot);
    const log = openSync(join(own, "log"), "a");
    const flags = ["--data-root", dataRoot, "--exec-root", join(own, "exec"), "-p", join(own, "pid")];
    const quiet = ["--bridge=none", "--iptables=false", "--ip-forward=false", "--storage-driver", driver];
    const socket = ["-H", `unix://${join(own, "docker.sock")}`];
    const [name = "", ...rest] = wrap([program("dockerd"), ...flags, ...socket, ...quiet, ...args]);
    const child = spawn(name, rest, {
      stdio: ["ignore", log, log],
      env: { ...process.env, DOCKER_DRIVER: "" },
    });
    closeSync(log);
    const dockerd = new Dockerd(dataRoot, own, mountsBefore, child);
    try {
      await dockerd.#answers();
    } catch (error) {
      const tail = await dockerd.log();
      await dockerd[Symbol.asyncDispose]();
      throw new Error(`dockerd on ${dataRoot} does not start: ${tail.slice(-3000)}`, { cause: error });
    }
    return dockerd;
  }

  /** Runs the docker command against it; it has to succeed. @returns its standard output, trimmed */
  async docker(...args: readonly string[]): Promise<string> {
    return (await output("docker", ["-H", `unix://${this.socket}`, ...args], dockerEnvironment)).trim();
  }

  /** The same to any end. */
  tryDocker(args: readonly string[], options?: RunOptions): Promise<Ran> {
    return run("docker", ["-H", `unix://${this.socket}`, ...args], { ...options, ...dockerEnvironment });
  }

  log(): Promise<string> {
    return readFile(join(this.#own, "log"), "utf8");
  }

  /** Process id of the containerd that it has started; empty: none yet. */
  #containerd(): Promise<string> {
    return readFile(join(this.#own, "exec/containerd/containerd.pid"), "utf8").catch(() => "");
  }

  async #answers(): Promise<void> {
    const end = Date.now() + 30_000;
    while (!(await pings(this.socket))) {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw new Error("it ended");
      if (Date.now() > end) throw new Error("no answer within 30 s");
      await delay(50);
    }
  }

  /** Ends it as an operator would; the data root is closed then. */
  async [Symbol.asyncDispose](): Promise<void> {
    const containerd = await this.#containerd();
    const exit = ended(this.#process, "SIGTERM", 20_000);
    // The last that it does is to look once a second whether its containerd has gone: its root is closed by then.
    while (isThere(this.#process) && existsSync(`/proc/${containerd}`)) await delay(10);
    this.#process.kill("SIGKILL");
    await exit;
    await cleanUp(this.dataRoot, this.#own, this.#mountsBefore);
  }

  /**
   * Ends it as a crash of the machine would, containerd and what runs with it. What it leaves mounted stays, but its
   * mount of the root on itself.
   */
  async crash(): Promise<void> {
    const containerd = await this.#containerd();
    await ended(this.#process, "SIGKILL", 0);
    if (containerd !== "") process.kill(Number(containerd), "SIGKILL");
    await endShims(this.#own);
    await cleanUp(this.dataRoot, this.#own, this.#mountsBefore);
  }
}

/** Containers, and those who look after them: with their containerd gone nobody would ever end them. */
async function endShims(own: string): Promise<void> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!command.includes("containerd-shim") || !command.includes(`${own}/`)) continue;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
    for (const each of [...children.split(" ").filter(Boolean), pid]) process.kill(Number(each), "SIGKILL");
  }
}

/** The docker command reads no configuration of the person who runs the tests. */
export const dockerEnvironment = { env: { DOCKER_CONFIG: "/nonexistent", DOCKER_HOST: "", DOCKER_CONTEXT: "" } };

function isThere({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  if (!isThere(child)) return;
  const exit = once(child, "exit");
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  await exit;
  clearTimeout(timer);
}

/** dockerd binds the data root on itself, and leaves that behind when it is killed. */
async function cleanUp(dataRoot: string, own: string, mountsBefore: number): Promise<void> {
  for (let left = await mountsOn(dataRoot); left > mountsBefore; left--) await run("umount", ["--lazy", dataRoot]);
  for (const path of (await mountPoints()).filter((at) => at.startsWith(`${own}/`)).reverse()) {
    await run("umount", ["--lazy", path]);
  }
  await rm(own, { recursive: true, force: true, maxRetries: 5 });
}

async function mountsOn(directory: string): Promise<number> {
  return (await mountPoints()).filter((path) => path === directory).length;
}

async function mountPoints(): Promise<string[]> {
  return (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
}

function pings(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once("error", () => resolve(false)).end();
  });
}
