import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { AlreadyExists, messageOf, NotFound } from "../../spec/index.js";
import { deleteContainer, oomKills, readContainerState } from "../container-state.js";
import { RuntimeFailure } from "../failure.js";
import { wallClockNs } from "../log/clock.js";
import { LogWriter } from "../log/writer.js";
import { createFailure, execFailure, type RuntimePlace, runc } from "../runc.js";
import { placeOf } from "../runtime-of.js";
import type {
  AttachStreams,
  Exit,
  LogTarget,
  ProcessRef,
  Started,
  StartRequest,
  Supervised,
  TerminalSize,
} from "./contract.js";
import { keyOf, targetOf, type WireExec } from "./protocol.js";
import type { Reaper } from "./reaper.js";
import type { Records } from "./records.js";
import { type PreparedStdio, prepareStdio } from "./stdio.js";
import { Streams } from "./streams.js";
import { SupervisedProcess } from "./supervised.js";

export interface SupervisionEvents {
  exited(exit: Exit): void;
  /** For the log of the supervisor. */
  say(message: string): void;
}

/** How a process is started: what `start` and `exec` differ in. */
interface Launch {
  readonly target: ProcessRef;
  /** Of a container. */
  readonly bundle: string | undefined;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly inputEnds: boolean;
  readonly log: LogTarget | undefined;
  /** @param scratch path without suffix for its files */
  arguments(scratch: string): readonly string[];
  failure(error: unknown): RuntimeFailure;
}

/** All processes of a run directory: those that run, and those whose exit nobody has acknowledged. */
export class Supervision {
  readonly #place: RuntimePlace;
  readonly #records: Records;
  readonly #reaper: Reaper;
  readonly #events: SupervisionEvents;
  readonly #processes = new Map<string, SupervisedProcess>();
  readonly #exits = new Map<string, Exit>();
  readonly #bundles = new Map<string, string>();
  readonly #starting = new Set<string>();
  readonly #startingContainers = new Set<Promise<Started>>();
  /** Clients of processes that run or have yet to start. */
  readonly #streams = new Map<string, Streams>();
  #consoles = 0;

  constructor(place: RuntimePlace, records: Records, reaper: Reaper, events: SupervisionEvents) {
    this.#place = place;
    this.#records = records;
    this.#reaper = reaper;
    this.#events = events;
  }

  /** Nothing runs, and nobody waits for anything to be started. */
  get idle(): boolean {
    return [this.#processes, this.#starting, this.#streams].every(({ size }) => size === 0);
  }

  /** No exit waits to be acknowledged. */
  get settled(): boolean {
    return this.#exits.size === 0;
  }

  get exits(): Iterable<Exit> {
    return this.#exits.values();
  }

  async start(request: StartRequest): Promise<Started> {
    const { id, bundle, tty, openStdin, stdinOnce, log } = request;
    const launched = this.#launched({
      target: { id },
      bundle,
      tty,
      openStdin,
      inputEnds: stdinOnce,
      log,
      arguments: (scratch) => ["run", "--detach", "--bundle", bundle, "--pid-file", `${scratch}.pid`],
      failure: createFailure,
    });
    this.#startingContainers.add(launched);
    return launched.finally(() => this.#startingContainers.delete(launched));
  }

  async exec({ id, execID, process, tty, openStdin }: WireExec): Promise<Started> {
    this.#running({ id });
    return this.#launched({
      target: { id, execID },
      bundle: undefined,
      tty,
      openStdin,
      inputEnds: true,
      log: undefined,
      arguments(scratch) {
        writeFileSync(`${scratch}.process`, process, { mode: 0o600 });
        return ["exec", "--detach", "--process", `${scratch}.process`, "--pid-file", `${scratch}.pid`];
      },
      failure: execFailure,
    });
  }

  /** A client that attaches finds in the log what it does not get itself. */
  async logged(target: ProcessRef): Promise<void> {
    await this.#processes.get(keyOf(target))?.logged();
  }

  attach(target: ProcessRef, socket: Socket, streams: AttachStreams): void {
    const key = keyOf(target);
    if (target.execID !== undefined && this.#exits.has(key)) {
      socket.end();
      return;
    }
    this.#streamsOf(key).add(socket, streams, () => this.#forgetUnused(key));
  }

  abandon(target: ProcessRef): void {
    const key = keyOf(target);
    if (!this.#processes.has(key) && !this.#starting.has(key)) this.#streams.get(key)?.end();
  }

  resize(target: ProcessRef, size: TerminalSize): void {
    this.#running(target).resize(size);
  }

  kill(target: ProcessRef, signal: number): void {
    if (!this.#reaper.kill(this.#running(target).pid, signal)) throw notRunning(target);
  }

  /** Containers that are being started are waited for: a client that comes after one that was killed has to know of them. */
  async list(): Promise<Supervised[]> {
    await Promise.allSettled(this.#startingContainers);
    const running = [...this.#processes.values()].map(({ target, pid, startedAtNs }) => ({
      ...target,
      pid,
      startedAtNs,
    }));
    return [...running, ...this.#exits.values()];
  }

  acknowledge(target: ProcessRef): void {
    if (this.#exits.delete(keyOf(target))) this.#records.remove(target);
  }

  /** Takes over from a supervisor that was killed: ends what it ran, whose streams are lost, and tells their exits. */
  async recover(): Promise<void> {
    for (const record of this.#records.readAll()) {
      const target = targetOf(record);
      if (record.bundle !== undefined) this.#bundles.set(record.id, record.bundle);
      if (record.exit) {
        this.#exits.set(keyOf(target), record.exit);
        continue;
      }
      if (record.execID === undefined) await this.#deleteForcibly(record.id);
      if (record.pid === undefined) this.#records.remove(target);
      else {
        const { startedAtNs } = record;
        const since = startedAtNs !== undefined && { startedAtNs };
        this.#tell({ ...target, ...since, exitCode: 255, oomKilled: false, atNs: wallClockNs(), error: lost });
      }
    }
  }

  async #deleteForcibly(id: string): Promise<void> {
    try {
      await this.#reaper.around(() =>
        runc(placeOf(this.#place, id), ["delete", "--force", id], { scratch: this.#records.scratch({ id }) }),
      );
    } catch (error) {
      this.#events.say(`${id}: ${messageOf(error)}`);
    }
    await this.#removeBundle(id);
  }

  /** Until the process is known to the reaper, its end must not be taken for that of an orphan. */
  #launched(launch: Launch): Promise<Started> {
    return this.#reaper.around(() => this.#launch(launch));
  }

  async #launch(launch: Launch): Promise<Started> {
    const { target, tty } = launch;
    const key = keyOf(target);
    if (this.#processes.has(key) || this.#exits.has(key) || this.#starting.has(key)) {
      throw new AlreadyExists(`${key}: it runs, or its end has not been acknowledged`);
    }
    this.#starting.add(key);
    if (launch.bundle !== undefined) this.#bundles.set(target.id, launch.bundle);
    let log: LogWriter | undefined;
    let pid: number | undefined;
    try {
      log = await this.#openLog(key, launch.log);
      const record = launch.bundle === undefined ? target : { ...target, bundle: launch.bundle };
      this.#records.write(record);
      using stdio = prepareStdio(tty, launch.openStdin, join(this.#place.directory, `tty${++this.#consoles}`));
      pid = await this.#run(launch, stdio);
      const started = { pid, startedAtNs: wallClockNs() };
      this.#records.write({ ...record, pid, startedAtNs: started.startedAtNs });
      const streams = this.#streamsOf(key);
      const process = new SupervisedProcess(target, started, { stdio, streams, log, tty, inputEnds: launch.inputEnds });
      this.#processes.set(key, process);
      this.#reaper.watch(pid, (exitCode) => void this.#ended(process, exitCode));
      return started;
    } catch (error) {
      if (pid !== undefined) await this.#unsupervised(target, pid);
      await log?.close();
      this.#records.remove(target);
      if (target.execID === undefined) await this.#removeBundle(target.id);
      throw error;
    } finally {
      this.#starting.delete(key);
      this.#forgetUnused(key);
    }
  }

  /** It runs, and nobody has its streams. */
  async #unsupervised(target: ProcessRef, pid: number): Promise<void> {
    if (target.execID === undefined) await this.#deleteForcibly(target.id);
    else process.kill(pid, "SIGKILL");
  }

  async #openLog(key: string, target: LogTarget | undefined): Promise<LogWriter | undefined> {
    if (!target) return undefined;
    try {
      return await LogWriter.open(target, {
        drained: () => this.#processes.get(key)?.logDrained(),
        failed: (message) => this.#events.say(message),
      });
    } catch (error) {
      throw new RuntimeFailure(`failed to initialize logging driver: ${messageOf(error)}`, { cause: error });
    }
  }

  async #run(launch: Launch, stdio: PreparedStdio): Promise<number> {
    const scratch = this.#records.scratch(launch.target);
    try {
      const args = [...launch.arguments(scratch), ...stdio.args, launch.target.id];
      await runc(placeOf(this.#place, launch.target.id), args, { stdio: stdio.child, scratch });
      return Number(readFileSync(`${scratch}.pid`, "utf8"));
    } catch (error) {
      throw launch.failure(error);
    } finally {
      for (const suffix of [".pid", ".process"]) rmSync(scratch + suffix, { force: true });
    }
  }

  /** Nothing of the process is left when its exit is told. */
  async #ended(process: SupervisedProcess, exitCode: number): Promise<void> {
    const atNs = wallClockNs();
    const { target, startedAtNs } = process;
    const exit = { ...target, exitCode, oomKilled: false, atNs, startedAtNs };
    try {
      if (target.execID === undefined) exit.oomKilled = await this.#clear(target.id, process);
      else await process.drain();
    } catch (error) {
      this.#events.say(`${keyOf(target)}: ${messageOf(error)}`);
    }
    this.#tell(exit);
    process.endClients();
  }

  async #clear(id: string, process: SupervisedProcess): Promise<boolean> {
    const place = placeOf(this.#place, id);
    const state = await readContainerState(place, id);
    const oomKilled = state !== undefined && (await oomKills(state)) > 0;
    const scratch = this.#records.scratch({ id });
    // Others may live on without the first process and hold its output open: they go with the container.
    const deleted = this.#reaper.around(() => deleteContainer(place, id, state, scratch));
    const results = await Promise.allSettled([deleted, process.drain(), this.#removeBundle(id)]);
    for (const result of results)
      if (result.status === "rejected") this.#events.say(`${id}: ${messageOf(result.reason)}`);
    return oomKilled;
  }

  #tell(exit: Exit): void {
    const target = targetOf(exit);
    const key = keyOf(target);
    this.#records.write({ ...target, pid: this.#processes.get(key)?.pid ?? 0, exit: exit });
    this.#processes.delete(key);
    this.#streams.delete(key);
    this.#exits.set(key, exit);
    this.#events.exited(exit);
  }

  /** Deletes the bundle's own files; if the caller has put more there, that stays. */
  async #removeBundle(id: string): Promise<void> {
    const bundle = this.#bundles.get(id);
    this.#bundles.delete(id);
    if (bundle === undefined) return;
    rmSync(join(bundle, "config.json"), { force: true });
    await rmdir(bundle).catch(() => {});
  }

  #running(target: ProcessRef): SupervisedProcess {
    const process = this.#processes.get(keyOf(target));
    if (!process) throw notRunning(target);
    return process;
  }

  #streamsOf(key: string): Streams {
    const known = this.#streams.get(key);
    if (known) return known;
    const streams = new Streams(() => this.#processes.get(key)?.clientsDrained());
    this.#streams.set(key, streams);
    return streams;
  }

  #forgetUnused(key: string): void {
    if (this.#streams.get(key)?.empty && !this.#processes.has(key) && !this.#starting.has(key))
      this.#streams.delete(key);
  }
}

const lost = "its supervisor was killed, and with it the standard streams";

function notRunning(target: ProcessRef): NotFound {
  return new NotFound(`${keyOf(target)} is not running`);
}
