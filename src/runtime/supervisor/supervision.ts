import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { AlreadyExists, messageOf, NotFound } from "../../spec/index.js";
import { wallClockNs } from "../log/clock.js";
import type { LogPlace } from "../log/writer.js";
import { createFailure, execFailure, type RuntimePlace } from "../runc.js";
import { Containers } from "./containers.js";
import type {
  AttachStreams,
  Exit,
  LogMark,
  ProcessRef,
  Started,
  StartRequest,
  Supervised,
  TerminalSize,
} from "./contract.js";
import { keyOf, targetOf, type WireExec } from "./protocol.js";
import type { Reaper } from "./reaper.js";
import type { Record, Records } from "./records.js";
import { type Launch, type StartParts, startProcess } from "./start-process.js";
import { Streams } from "./streams.js";
import type { SupervisedProcess } from "./supervised.js";

export interface SupervisionEvents {
  exited(exit: Exit): void;
  /** For the log of the supervisor. */
  say(message: string): void;
}

/** All processes of a run directory: those that run, and those whose exit nobody has acknowledged. */
export class Supervision {
  readonly #records: Records;
  readonly #reaper: Reaper;
  readonly #events: SupervisionEvents;
  readonly #containers: Containers;
  readonly #parts: Omit<StartParts, "streams">;
  readonly #processes = new Map<string, SupervisedProcess>();
  readonly #exits = new Map<string, Exit>();
  readonly #starting = new Set<string>();
  readonly #startingContainers = new Set<Promise<Started>>();
  /** Clients of processes that run or have yet to start. */
  readonly #streams = new Map<string, Streams>();

  constructor(place: RuntimePlace, records: Records, reaper: Reaper, events: SupervisionEvents) {
    this.#records = records;
    this.#reaper = reaper;
    this.#events = events;
    this.#containers = new Containers({
      place: { ...place, run: (...program) => reaper.run(...program) },
      ...{ records, reaper, say: events.say },
    });
    this.#parts = { directory: place.directory, records, containers: this.#containers, say: events.say };
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

  /** @param welcome told of the log at the moment from which on the client is given all */
  async attach(target: ProcessRef, socket: Socket, streams: AttachStreams, welcome: (mark: LogMark) => void) {
    const key = keyOf(target);
    const process = this.#processes.get(key);
    const attach = (place?: LogPlace) => {
      welcome({ atNs: wallClockNs(), ...(place && { place }) });
      if (target.execID !== undefined && this.#exits.has(key)) socket.resume().end();
      else this.#streamsOf(key).add(socket, streams, () => this.#forgetUnused(key), process);
    };
    if (process) await process.whenLogged(attach);
    else attach();
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
      if (record.bundle !== undefined) this.#containers.has(record.id, record.bundle);
      if (record.exit) {
        this.#exits.set(keyOf(target), record.exit);
        continue;
      }
      if (record.execID === undefined) await this.#containers.deleteForcibly(record.id);
      if (record.pid === undefined) this.#records.remove(target);
      else {
        const { startedAtNs } = record;
        const since = startedAtNs !== undefined && { startedAtNs };
        this.#tell({ ...target, ...since, exitCode: 255, oomKilled: false, atNs: wallClockNs(), error: lost });
      }
    }
  }

  /** Until the process is known to the reaper, its end must not be taken for that of an orphan. */
  #launched(launch: Launch): Promise<Started> {
    return this.#reaper.around(() => this.#launch(launch));
  }

  async #launch(launch: Launch): Promise<Started> {
    const key = keyOf(launch.target);
    if (this.#processes.has(key) || this.#exits.has(key) || this.#starting.has(key)) {
      throw new AlreadyExists(`${key}: it runs, or its end has not been acknowledged`);
    }
    this.#starting.add(key);
    try {
      const process = await startProcess(launch, { ...this.#parts, streams: this.#streamsOf(key) });
      this.#processes.set(key, process);
      this.#reaper.watch(process.pid, (exitCode) => void this.#ended(process, exitCode));
      return { pid: process.pid, startedAtNs: process.startedAtNs };
    } finally {
      this.#starting.delete(key);
      this.#forgetUnused(key);
    }
  }

  /** Nothing of the process is left when its exit is told. */
  async #ended(process: SupervisedProcess, exitCode: number): Promise<void> {
    const atNs = wallClockNs();
    const { target, startedAtNs } = process;
    // Other processes may live on and hold its output open: they go with the container.
    const cleared = target.execID === undefined ? this.#containers.clear(target.id) : false;
    const [oomKilled] = await Promise.all([this.#carefully(target, cleared), this.#carefully(target, process.drain())]);
    this.#tell({ ...target, exitCode, oomKilled: oomKilled ?? false, atNs, startedAtNs });
    process.endClients();
  }

  async #carefully<T>(target: ProcessRef, step: T | Promise<T>): Promise<T | undefined> {
    try {
      return await step;
    } catch (error) {
      this.#events.say(`${keyOf(target)}: ${messageOf(error)}`);
      return undefined;
    }
  }

  #tell(exit: Exit): void {
    const target = targetOf(exit);
    const key = keyOf(target);
    this.#note({ ...target, pid: this.#processes.get(key)?.pid ?? 0, exit });
    this.#processes.delete(key);
    this.#streams.delete(key);
    this.#exits.set(key, exit);
    this.#events.exited(exit);
  }

  /** What cannot be written, on a full disk or since the run directory is gone, is known to who is connected. */
  #note(record: Record): void {
    try {
      this.#records.write(record);
    } catch (error) {
      this.#events.say(`${keyOf(record)}: its end could not be noted: ${messageOf(error)}`);
    }
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
