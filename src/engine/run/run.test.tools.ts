import { once } from "node:events";
import { lacking } from "../../../test/oracle/programs.js";
import { collected, sampleArchive, streamOf } from "../../../test/oracle/sample-image.js";
import { type Scratch, scratch } from "../../../test/oracle/scratch.js";
import type { ContainerCreateBody } from "../api-container.js";
import type { EventMessage } from "../api-system.js";
import { Engine, type EngineOptions } from "../engine.js";
import { runDirectoryOf } from "./run-directory.js";

/** Why containers cannot be run here; undefined when they can. */
export const cannotRun = lacking("root", "mounts", "runc");

/** Says `ready`, and ends with 7 when it is asked to end. */
export const forever = ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"];

/** An engine whose containers run, with image `sample:1`. Disposed, it leaves none of them. */
export class RunningEngine implements AsyncDisposable {
  readonly #directory: Scratch;
  readonly reports: string[] = [];
  engine!: Engine;

  private constructor(directory: Scratch) {
    this.#directory = directory;
  }

  static async open(options: Partial<EngineOptions> = {}): Promise<RunningEngine> {
    const made = new RunningEngine(await scratch("/dev/shm"));
    await made.reopen(options);
    await collected(made.engine.images.load(streamOf(await sampleArchive("sample:1"))));
    return made;
  }

  get root(): string {
    return `${this.#directory.path}/root`;
  }

  /** The run directory. */
  get runs(): string {
    return runDirectoryOf(this.root, `${this.#directory.path}/run`);
  }

  /** Opens the data root, again after it was closed. */
  async reopen(options: Partial<EngineOptions> = {}): Promise<Engine> {
    this.engine = await Engine.open({
      ...{ root: this.root, execRoot: `${this.#directory.path}/run`, driver: "overlay2", network: { bridge: "none" } },
      report: (line) => this.reports.push(line),
      ...options,
    });
    return this.engine;
  }

  /** Makes a container without network, and starts it. @returns its id */
  async started(cmd: readonly string[], body: ContainerCreateBody = {}, name?: string): Promise<string> {
    const id = await this.created(cmd, body, name);
    await this.engine.processes.start(id);
    return id;
  }

  /** As `started`, of one that says `ready`: resolves when it has. */
  async ready(cmd: readonly string[], body: ContainerCreateBody = {}): Promise<string> {
    const id = await this.started(cmd, body);
    const said = await this.engine.processes.logs(id, { stdout: true, follow: true });
    for await (const _ of said.body) return id;
    throw new Error("it has ended, and said nothing");
  }

  async created(cmd: readonly string[], body: ContainerCreateBody = {}, name?: string): Promise<string> {
    const HostConfig = { NetworkMode: "none", ...body.HostConfig };
    const full = { Image: "sample:1", Cmd: [...cmd], ...body, HostConfig };
    return (await this.engine.containers.create(full, { ...(name && { name }) })).Id;
  }

  /** What a container writes until it ends, frames and all, and how it ends. */
  async outcome(cmd: readonly string[], body: ContainerCreateBody = {}): Promise<{ code: number; out: string }> {
    const { processes } = this.engine;
    const id = await this.created(cmd, body);
    const { stream } = await processes.attach(id, { stdout: true, stderr: true, stream: true });
    const out = textOf(stream);
    const { ended } = await processes.wait(id, "next-exit");
    await processes.start(id);
    return { code: (await ended).StatusCode, out: await out };
  }

  /** What a further process in a container writes. */
  async exec(id: string, Cmd: string[]): Promise<string> {
    const { execs } = this.engine;
    const { Id } = await execs.create(id, { Cmd, AttachStdout: true, AttachStderr: true });
    const started = await execs.start(Id, {});
    if (!started) throw new Error("it was detached");
    return textOf(started.stream);
  }

  /** Events of containers from now on, as `action exitCode-or-signal`; call it to get what has come so far. */
  events(type = "container"): () => string[] {
    const told: EventMessage[] = [];
    const events = this.engine.events.read({ filters: { type: [type] } });
    void (async () => {
      for await (const event of events) told.push(event);
    })();
    return () =>
      told.map(({ Action, Actor: { Attributes } }) => {
        return [Action, Attributes.exitCode ?? Attributes.signal].filter((word) => word !== undefined).join(" ");
      });
  }

  /** Resolves at the next event of this action. */
  async event(action: string): Promise<EventMessage> {
    const stop = new AbortController();
    for await (const event of this.engine.events.read({ filters: { event: [action] }, signal: stop.signal })) {
      stop.abort();
      return event;
    }
    throw new Error("unreachable");
  }

  /** Resolves when what is known of a container is on disk: a change that changes nothing comes after all before. */
  async flushed(id: string): Promise<void> {
    await this.engine.processes.update(id, {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { Id } of await this.engine.containers.list({ all: true })) {
      await this.engine.containers.remove(Id, { force: true, volumes: true });
    }
    await this.engine[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** The payload of framed output. */
export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "end");
  return payload(Buffer.concat(chunks));
}

export function payload(bytes: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts).toString("utf8");
}
