import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Call, call, Refused } from "../oracle/engine-call.js";
import { oneOf } from "./materials.js";

/** Numbered lines: without an end, or a hundred of them. */
const counting =
  "i=0; while :; do j=0; while test $j -lt 200; do i=$((i+1)) j=$((j+1)); echo $i; done; sleep 0.1; done";
const brief = "i=0; while test $i -lt 100; do i=$((i+1)); echo $i; done; exit 5";

const kinds = {
  lasting: { command: counting },
  terminal: { command: counting, Tty: true },
  shared: { command: counting, host: { IpcMode: "shareable" } },
  healthy: { command: counting, Healthcheck: { Test: ["CMD", "true"], Interval: 100e6 } },
  brief: { command: brief },
  again: { command: brief, host: { RestartPolicy: { Name: "always" } } },
  once: { command: brief, host: { AutoRemove: true } },
} satisfies Record<string, { command: string; host?: object; Tty?: boolean; Healthcheck?: object }>;

export type Kind = keyof typeof kinds;

/** What is known of a container by what the engine has acknowledged. */
export interface Running {
  readonly id: string;
  readonly kind: Kind;
  /** `unsure` while something is being done with it, and if that was cut short. */
  phase: "created" | "running" | "paused" | "stopped" | "gone" | "unsure";
}

/** Whether it does nothing by itself. */
export function isSteady({ kind }: Running): boolean {
  return ["lasting", "terminal", "shared", "healthy"].includes(kind);
}

/** Makes containers and does with them what chance decides, now and then twice at a time. */
export class RunLane {
  readonly #socket: string;
  /** Its containers; those of other lanes are not among them. */
  readonly containers: Running[];
  readonly losses: string[] = [];
  acknowledged = 0;

  constructor(socket: string, containers: readonly Running[]) {
    this.#socket = socket;
    this.containers = [...containers];
  }

  /** Works until the daemon is gone. */
  async work(over: () => boolean): Promise<void> {
    while (!over()) {
      try {
        await this.#step();
        this.acknowledged++;
      } catch (error) {
        if (over()) return;
        if (!(error instanceof Refused)) {
          // The daemon may be gone before this is told of it.
          await delay(100);
          if (!over()) this.losses.push(`the daemon hung up: ${error}`);
          return;
        }
        this.losses.push(`refused with ${error.status}: ${error.message}`);
      }
    }
  }

  async #step(): Promise<void> {
    const there = this.containers.filter(({ phase }) => phase !== "gone" && phase !== "unsure");
    const container = oneOf(there);
    if (!container || there.length < 3 || (there.length < 8 && randomInt(4) === 0)) return this.#create();
    const steps = isSteady(container) ? this.#steps(container) : this.#stepsOfBrief(container);
    await (oneOf(steps) as () => Promise<unknown>)();
  }

  async #create(): Promise<void> {
    const kind = oneOf(Object.keys(kinds)) as Kind;
    const { command, host = {}, ...config } = kinds[kind] as { command: string; host?: object };
    const HostConfig = { NetworkMode: "none", ...host };
    const body = { Image: "sample:1", Cmd: ["sh", "-c", command], ...config, HostConfig };
    const { Id: id } = JSON.parse(await this.#post("/containers/create", body)) as { Id: string };
    this.containers.push({ id, kind, phase: "created" });
  }

  #steps(container: Running): (() => Promise<unknown>)[] {
    const { id } = container;
    const to = (phase: Running["phase"], path: string) => () =>
      this.#during(container, phase, () => this.#post(`/containers/${id}/${path}`));
    const common = [this.#removal(container), this.#reading(`/containers/${id}/logs?stdout=1&tail=5`)];
    if (container.phase === "paused") return [...common, to("running", "unpause")];
    if (container.phase !== "running") return [...common, to("running", "start"), to("running", "start")];
    return [
      ...common,
      to("stopped", "stop?t=0"),
      to("stopped", "kill"),
      to("running", "restart?t=0"),
      to("paused", "pause"),
      this.#exec(container),
      this.#exec(container),
      this.#twice(container),
      this.#reading(`/containers/${id}/archive?path=/etc/app.conf`),
      () => this.#post(`/containers/${id}/rename?name=n${randomInt(2 ** 40)}`),
      () => this.#post(`/containers/${id}/update`, { Memory: 2 ** 28, MemorySwap: -1 }),
      () => this.#post(`/commit?container=${id}`).then((text) => this.#delete(`/images/${JSON.parse(text).Id}`)),
    ];
  }

  #stepsOfBrief(container: Running): (() => Promise<unknown>)[] {
    const { id, phase } = container;
    const tolerant = (error: unknown) => {
      if (!(error instanceof Refused && [304, 404, 409].includes(error.status))) throw error;
    };
    if (phase === "created" || phase === "stopped") {
      return [() => this.#during(container, "running", () => this.#post(`/containers/${id}/start`))];
    }
    const stop = () => this.#post(`/containers/${id}/stop?t=0`).catch(tolerant);
    const after = container.kind === "once" ? "gone" : "stopped";
    const stopped = () => this.#during(container, after, () => stop().then(() => this.#awaitRemoval(container)));
    const remove = () => this.#delete(`/containers/${id}?force=1`).catch(tolerant);
    return [stopped, () => this.#during(container, "gone", () => remove().then(() => this.#awaitRemoval(container)))];
  }

  /** One that removes itself does so a little after it has ended. */
  async #awaitRemoval({ id, kind }: Running): Promise<void> {
    if (kind !== "once") return;
    for (const end = performance.now() + 10_000; performance.now() < end; await delay(20)) {
      const there = await this.#call(`/containers/${id}/json`).then(
        () => true,
        (error) => {
          if (error instanceof Refused && error.status === 404) return false;
          throw error;
        },
      );
      if (!there) return;
    }
    this.losses.push(`container ${id} does not remove itself`);
  }

  #removal(container: Running): () => Promise<unknown> {
    return () => this.#during(container, "gone", () => this.#delete(`/containers/${container.id}?force=1&v=1`));
  }

  /** The same by two clients at once: one at least is served, and nobody sees a fault. */
  #twice(container: Running): () => Promise<unknown> {
    const { id } = container;
    const [phase, method, path] = oneOf([
      ["stopped", "POST", `/containers/${id}/stop?t=0`],
      ["stopped", "POST", `/containers/${id}/kill`],
      ["running", "POST", `/containers/${id}/restart?t=0`],
      ["gone", "DELETE", `/containers/${id}?force=1`],
    ] as const)!;
    return () =>
      this.#during(container, phase, async () => {
        const both = await Promise.allSettled([1, 2].map(() => this.#call(path, { method })));
        const failed = both.filter((each) => each.status === "rejected").map(({ reason }) => reason as unknown);
        const fault = failed.find((error) => !(error instanceof Refused) || ![304, 404, 409].includes(error.status));
        if (fault || failed.length === 2) throw fault ?? failed[0];
      });
  }

  #exec({ id }: Running): () => Promise<unknown> {
    return async () => {
      const body = { Cmd: ["sh", "-c", "echo ran"], AttachStdout: true };
      const { Id } = JSON.parse(await this.#post(`/containers/${id}/exec`, body)) as { Id: string };
      const said = await this.#post(`/exec/${Id}/start`, { Detach: false, Tty: false });
      // A stream that the end of the daemon cuts ends as others do: it has no length.
      if (!said.endsWith("ran\n")) throw new Refused(200, `exec in ${id} said ${JSON.stringify(said)}`);
    };
  }

  #reading(path: string): () => Promise<unknown> {
    return () => this.#call(path);
  }

  async #during(container: Running, phase: Running["phase"], work: () => Promise<unknown>): Promise<void> {
    container.phase = "unsure";
    await work();
    container.phase = phase;
  }

  #post(path: string, body?: object): Promise<string> {
    return this.#call(path, { method: "POST", ...(body && { body }) });
  }

  #delete(path: string): Promise<string> {
    return this.#call(path, { method: "DELETE" });
  }

  /** @throws Refused; an error that tells which request lost its connection */
  async #call(path: string, options: Call = {}): Promise<string> {
    try {
      return await call(this.#socket, path, options);
    } catch (error) {
      if (error instanceof Refused) throw error;
      throw new Error(`${options.method ?? "GET"} ${path}: ${error}`, { cause: error });
    }
  }
}
