import type { Healthcheck } from "../../spec/index.js";
import { messageOf, nowNs, parseRFC3339, rfc3339Local } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import type { HealthProbe, StoredHealth } from "../container/stored.js";
import { createExec, launch } from "./exec.js";
import { Framed } from "./framed.js";
import type { HealthMonitor } from "./lives.js";
import { withState } from "./states.js";

const usual = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 };
const mostProbes = 5;
const mostOutput = 4096;

interface Check {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly retries: number;
}

/** The health check of a container; undefined: it has none. */
export function checkOf({ Healthcheck: given, Shell }: Container["stored"]["Config"]): Check | undefined {
  const [kind, ...words] = given?.Test ?? [];
  if (!given || kind === undefined || kind === "NONE") return undefined;
  const shell = Shell?.length ? Shell : ["/bin/sh", "-c"];
  const ms = (key: "Interval" | "Timeout" | "StartPeriod", usually: number) => {
    const ns = Number((given as Healthcheck)[key] ?? 0);
    return ns > 0 ? ns / 1e6 : usually;
  };
  return {
    command: kind === "CMD-SHELL" ? [...shell, ...words] : words,
    intervalMs: ms("Interval", usual.intervalMs),
    timeoutMs: ms("Timeout", usual.timeoutMs),
    startPeriodMs: ms("StartPeriod", usual.startPeriodMs),
    retries: given.Retries || usual.retries,
  };
}

/** Looks after a container that has just come to run, if it has a health check. */
export function watchHealth(parts: ContainerParts, container: Container): void {
  const { lives, store } = parts;
  const check = checkOf(container.stored.Config);
  const life = lives.of(container.stored.ID);
  life.health?.stop();
  life.health = undefined;
  if (!check) return;
  const before = container.stored.State.Health;
  const Health: StoredHealth = { Status: "starting", FailingStreak: 0, Log: before?.Log ?? null };
  store.note(withState(container, { Health }));
  life.health = new Monitor(parts, container.stored.ID, check);
}

class Monitor implements HealthMonitor {
  readonly #parts: ContainerParts;
  readonly #id: string;
  readonly #check: Check;
  readonly #stopped = new AbortController();
  #paused = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ContainerParts, id: string, check: Check) {
    this.#parts = parts;
    this.#id = id;
    this.#check = check;
    this.#wait();
  }

  pause(paused: boolean): void {
    this.#paused = paused;
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#look().catch((error) => this.#parts.report(`health check of container ${this.#id}: ${messageOf(error)}`));
    }, this.#check.intervalMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    if (!this.#paused) {
      const probe = await probed(this.#parts, this.#id, this.#check, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      await noteProbe(this.#parts, this.#id, this.#check, probe);
    }
    if (!this.#stopped.signal.aborted) this.#wait();
  }
}

/** Runs the check once. */
async function probed(
  parts: ContainerParts,
  id: string,
  { command, timeoutMs }: Check,
  signal: AbortSignal,
): Promise<HealthProbe> {
  const { supervisor, store } = parts;
  const begun = nowNs();
  const result = (ExitCode: number, Output: string) => {
    return { Start: rfc3339Local(begun), End: rfc3339Local(nowNs()), ExitCode, Output };
  };
  try {
    const exec = createExec(parts, id, { Cmd: [...command], AttachStdout: true, AttachStderr: true });
    exec.state = "running";
    const target = { id, execID: exec.id };
    const stream = await supervisor.attach(target, { stdin: false, stdout: true, stderr: true });
    const output = new Framed(mostOutput);
    stream.on("data", (chunk: Uint8Array) => output.add(chunk));
    stream.on("error", () => {});
    const allSaid = new Promise((resolve) => stream.once("end", resolve).once("close", resolve));
    try {
      await launch(parts, store.find(id), exec);
      const ended = Promise.all([exec.ended, allSaid]).then(([code]) => code);
      const exitCode = await within(timeoutMs, ended, signal);
      if (exitCode !== undefined) return result(exitCode, output.text());
      await supervisor.kill(target, 9).catch(() => {});
      return result(-1, `Health check exceeded timeout (${durationText(timeoutMs)})`);
    } finally {
      stream.destroy();
    }
  } catch (error) {
    return result(-1, messageOf(error));
  }
}

/** Undefined: it takes longer, or `signal` has fired. */
function within<T>(ms: number, promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    const late = () => resolve(undefined);
    const timer = setTimeout(late, ms);
    signal.addEventListener("abort", late, { once: true });
    void promise.then((value) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", late);
      resolve(value);
    });
  });
}

/** As Go writes a duration: `500ms`, `1.5s`, `2m0s`. */
function durationText(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms % 60_000) / 1000;
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes % 60}m` : ""}${seconds}s`;
}

/** What a probe means for the container's health. */
export function healthAfter(
  before: StoredHealth,
  probe: HealthProbe,
  { retries, startPeriodMs }: Pick<Check, "retries" | "startPeriodMs">,
  sinceStartMs: number,
): StoredHealth {
  const Log = [...(before.Log ?? []), probe].slice(-mostProbes);
  if (probe.ExitCode === 0) return { Status: "healthy", FailingStreak: 0, Log };
  if (before.Status === "starting" && sinceStartMs < startPeriodMs) return { ...before, Log };
  const FailingStreak = before.FailingStreak + 1;
  return { Status: FailingStreak >= retries ? "unhealthy" : before.Status, FailingStreak, Log };
}

async function noteProbe(parts: ContainerParts, id: string, check: Check, probe: HealthProbe): Promise<void> {
  const { store, lives } = parts;
  await lives.turn(id, async () => {
    const container = store.byID(id);
    const { Running, Health, StartedAt } = container?.stored.State ?? {};
    if (!container || !Running || !Health) return;
    const ns = (text: string | undefined) => parseRFC3339(text ?? "") ?? 0n;
    const sinceStartMs = Number((ns(probe.Start) - ns(StartedAt)) / 1_000_000n);
    const after = healthAfter(Health, probe, check, sinceStartMs);
    const changed = withState(container, { Health: after });
    store.note(changed);
    if (after.Status !== Health.Status) emitContainer(parts, changed, `health_status: ${after.Status}`);
  });
}
