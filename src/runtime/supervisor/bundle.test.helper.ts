import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { OCIProcess } from "../spec/oci.js";
import { openSupervisor } from "./client.js";
import type { Exit, StartRequest, Supervisor } from "./contract.js";

/** Why containers cannot be run here; false when they can. */
export const cannotRun: string | false =
  process.getuid?.() !== 0 ? "needs root" : spawnSync("runc", ["--version"]).status !== 0 ? "needs runc" : false;

/** A run directory, with bundles whose programs are those of this machine. */
export class Ground implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "sup-"));
  readonly run = join(this.directory, "run");
  readonly #open: Supervisor[] = [];

  async supervisor(runtime = "runc", idleMs = 200): Promise<Supervisor> {
    const supervisor = await openSupervisor({ directory: this.run, runtime, idleMs });
    this.#open.push(supervisor);
    return supervisor;
  }

  /** A request to run `command` by a shell, or by itself when it is a list, with a log in the directory of the ground. */
  request(
    command: string | readonly string[],
    options: Partial<StartRequest> & { spec?: object; linux?: object } = {},
  ): StartRequest {
    const { spec = {}, linux = {}, ...rest } = options;
    const id = randomBytes(32).toString("hex");
    const bundle = join(this.run, "containers", id);
    mkdirSync(bundle, { recursive: true });
    const args = typeof command === "string" ? ["/bin/sh", "-c", command] : command;
    const config = ociConfig(this.#rootfs(), id, rest.tty ?? false, args);
    writeFileSync(
      join(bundle, "config.json"),
      JSON.stringify({ ...config, ...spec, linux: { ...config.linux, ...linux } }),
    );
    return { id, bundle, tty: false, openStdin: false, stdinOnce: false, log: { path: this.log(id) }, ...rest };
  }

  /** A container that does nothing. */
  async sleeping(): Promise<{ supervisor: Supervisor; id: string }> {
    const supervisor = await this.supervisor();
    const request = this.request(["/bin/sleep", "1000"]);
    await supervisor.start(request);
    return { supervisor, id: request.id };
  }

  /** Pids of the supervisors that serve the run directory. */
  supervisors(): number[] {
    return readdirSync("/proc").flatMap((name) => {
      const opens = (fd: string) =>
        attempt(() => readlinkSync(`/proc/${name}/fd/${fd}`)) === join(this.run, "supervisor.log");
      return /^\d+$/.test(name) && opens("2") ? [Number(name)] : [];
    });
  }

  log(id: string): string {
    return join(this.directory, `${id}-json.log`);
  }

  /** What a container has written, by its log. */
  logged(id: string, stream?: string): string {
    const lines = readFileSync(this.log(id), "utf8").split("\n").filter(Boolean);
    const entries = lines.map((line) => JSON.parse(line) as { log: string; stream: string });
    return entries.flatMap((entry) => (stream === undefined || entry.stream === stream ? [entry.log] : [])).join("");
  }

  #rootfs(): string {
    const rootfs = join(this.directory, "rootfs");
    if (mkdirSync(rootfs, { recursive: true }) === undefined) return rootfs;
    for (const name of ["proc", "dev", "sys", "tmp", "usr", "etc"]) mkdirSync(join(rootfs, name));
    for (const name of ["bin", "lib", "lib64", "sbin"]) symlinkSync(`usr/${name}`, join(rootfs, name));
    return rootfs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const supervisor = await this.supervisor();
    const signal = new AbortController();
    const left = new Set((await supervisor.list()).filter((each) => each.execID === undefined).map(({ id }) => id));
    for (const id of left) await supervisor.kill({ id }, 9).catch(() => {});
    if (left.size > 0)
      for await (const exit of supervisor.exits(signal.signal)) {
        await supervisor.acknowledge(exit);
        if (exit.execID === undefined) left.delete(exit.id);
        if (left.size === 0) break;
      }
    for (const each of this.#open) await each[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

function ociConfig(rootfs: string, id: string, terminal: boolean, args: readonly string[]) {
  const nosuid = ["nosuid", "noexec"];
  return {
    ociVersion: "1.0.2",
    process: {
      ...execProcess(args, terminal),
    },
    root: { path: rootfs },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: [...nosuid, "newinstance", "ptmxmode=0666"],
      },
      { destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"] },
    ],
    linux: {
      cgroupsPath: `/layerkit-test/${id}`,
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
    },
  };
}

/** What `exec` is asked to run. */
export function execProcess(args: readonly string[], terminal = false): OCIProcess {
  const user = { uid: 0, gid: 0, additionalGids: [] };
  return {
    terminal,
    user,
    args: [...args],
    env: ["PATH=/usr/bin:/usr/sbin"],
    cwd: "/",
    capabilities: {},
    oomScoreAdj: 0,
  };
}

/** Those of a container that are there. */
export function cgroupsOf(id: string): string[] {
  const controllers = readdirSync("/sys/fs/cgroup").map((name) => `/sys/fs/cgroup/${name}/layerkit-test/${id}`);
  return [`/sys/fs/cgroup/layerkit-test/${id}`, ...controllers].filter((path) => existsSync(path));
}

/** The next exit of a container, or of a process that was added to it; acknowledged. */
export async function exitOf(supervisor: Supervisor, id: string, execID?: string): Promise<Exit> {
  for await (const exit of supervisor.exits(AbortSignal.timeout(20_000))) {
    if (exit.id !== id || exit.execID !== execID) continue;
    await supervisor.acknowledge(exit);
    return exit;
  }
  throw new Error(`${id}: no exit within 20 s`);
}

/** What comes out of an attached stream, without the frames. */
export async function outputs(stream: Duplex): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const parts: Record<number, Buffer[]> = { 1: [], 2: [] };
  let rest = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
      const end = 8 + rest.readUInt32BE(4);
      parts[rest[0]!]!.push(Buffer.from(rest.subarray(8, end)));
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) throw new Error(`${rest.length} bytes behind the last frame`);
  return { stdout: Buffer.concat(parts[1]!), stderr: Buffer.concat(parts[2]!) };
}

/** Reads until it has seen `end`, and leaves the stream open. @returns all without frames */
export async function untilOutput(stream: Duplex, end: string): Promise<string> {
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const framed = chunk.length > 8 && chunk[0]! < 3 && chunk.readUIntBE(1, 3) === 0;
    text += chunk.subarray(framed ? 8 : 0).toString();
    if (text.endsWith(end)) return text;
  }
  throw new Error(`the stream ends with ${JSON.stringify(text)}`);
}
