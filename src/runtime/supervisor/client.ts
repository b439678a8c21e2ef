import { closeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { goJSON, isErrno, NotFound, nowNs, Unavailable } from "../../spec/index.js";
import { AttachStream } from "./attach-stream.js";
import type {
  AttachedStream,
  AttachStreams,
  ExecRequest,
  Exit,
  ProcessRef,
  Started,
  StartRequest,
  Supervised,
  Supervisor,
  TerminalSize,
} from "./contract.js";
import { Control, greet, NotDone } from "./control.js";
import { ExitBoard } from "./exit-board.js";
import { connectTo, type LaunchOptions, launch } from "./launch.js";
import { keyOf, type Requests } from "./protocol.js";
import { lockRunDirectory, removeRunDirectory, runDirectory } from "./run-directory.js";

/** How long a supervisor may take to be there, on a machine with much to do. */
const startLimitMs = 20_000;

export type SupervisorOptions = Pick<LaunchOptions, "directory"> & Partial<LaunchOptions>;

/**
 * Connects to the supervisor of a run directory. None is started as long as there is nothing for it to do; when one was
 * killed another takes its place at once, so that the exits of what died with it are told.
 */
export async function openSupervisor({
  runtime = "runc",
  idleMs = 5_000,
  directory,
}: SupervisorOptions): Promise<Supervisor> {
  const client = new SupervisorClient({ directory, runtime, idleMs });
  await client.resume();
  return client;
}

class SupervisorClient implements Supervisor {
  readonly #options: LaunchOptions;
  readonly #exits = new ExitBoard();
  #control: Promise<Control | undefined> | undefined;
  #closed = false;

  constructor(options: LaunchOptions) {
    this.#options = options;
  }

  /** Connects, or starts a supervisor if one has left something behind. */
  async resume(): Promise<void> {
    const left = await readdir(runDirectory(this.#options.directory).processes).catch((error: unknown) => {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    });
    if (left.length > 0) await this.#needed();
    else await this.#present();
  }

  start(request: StartRequest): Promise<Started> {
    return this.#request("start", request);
  }

  exec(request: ExecRequest): Promise<Started> {
    const wire = { ...request, process: goJSON(request.process) };
    return this.#ask("exec", wire, notRunning({ id: request.id }));
  }

  async attach(target: ProcessRef, streams: AttachStreams): Promise<AttachedStream> {
    for (;;) {
      await this.#needed();
      const socket = await connectTo(this.#options.directory);
      const welcome = socket && (await greet(socket, { open: "attach", target, streams }));
      if (welcome) return new AttachStream(socket, welcome.mark ?? { atNs: nowNs() });
    }
  }

  async abandon(target: ProcessRef): Promise<void> {
    await this.#ask("abandon", target, undefined);
  }

  async resize(target: ProcessRef, size: TerminalSize): Promise<void> {
    await this.#ask("resize", { target, size }, notRunning(target));
  }

  async kill(target: ProcessRef, signal: number): Promise<void> {
    await this.#ask("kill", { target, signal }, notRunning(target));
  }

  async list(): Promise<Supervised[]> {
    return [...((await this.#ask("list", null, undefined)) ?? [])];
  }

  exits(signal: AbortSignal): AsyncIterable<Exit> {
    return this.#exits.read(signal);
  }

  async acknowledge(target: ProcessRef): Promise<void> {
    this.#exits.remove(target);
    await this.#ask("acknowledge", target, undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const control = await this.#control?.catch(() => undefined);
    if (control && !control.closed) control.close();
    else this.#removeDirectory();
  }

  /** A supervisor that ended before its client did has left it. */
  #removeDirectory(): void {
    const lock = lockRunDirectory(this.#options.directory);
    if (lock === undefined) return;
    removeRunDirectory(this.#options.directory);
    closeSync(lock);
  }

  /** Of a supervisor that is there; of one that is not, `otherwise`, or that thrown. */
  async #ask<Op extends keyof Requests, Otherwise extends Error | undefined>(
    op: Op,
    request: Requests[Op]["takes"],
    otherwise: Otherwise,
  ): Promise<Requests[Op]["gives"] | Exclude<Otherwise, Error>> {
    const control = await this.#present();
    if (control) return this.#request(op, request);
    if (otherwise) throw otherwise;
    return undefined as Exclude<Otherwise, Error>;
  }

  async #request<Op extends keyof Requests>(op: Op, request: Requests[Op]["takes"]): Promise<Requests[Op]["gives"]> {
    for (;;) {
      const control = await this.#needed();
      try {
        return await control.request(op, request);
      } catch (error) {
        if (!(error instanceof NotDone)) throw error;
      }
    }
  }

  /** The connection, or undefined when there is no supervisor. */
  async #present(): Promise<Control | undefined> {
    return this.#connection(async () => {
      const socket = await connectTo(this.#options.directory);
      return socket && this.#greeted(socket);
    });
  }

  async #needed(): Promise<Control> {
    const present = await this.#present();
    if (present) return present;
    const made = await this.#connection(() => this.#started());
    // Another attempt, which found nobody and was content with it, may have come in between.
    return made ?? this.#needed();
  }

  /** One attempt at a time. */
  #connection(make: () => Promise<Control | undefined>): Promise<Control | undefined> {
    if (this.#closed) throw new Unavailable("this client of the supervisor is closed");
    const before = this.#control?.catch(() => undefined);
    this.#control = Promise.resolve(before).then((known) => (known && !known.closed ? known : make()));
    return this.#control;
  }

  async #started(): Promise<Control> {
    for (const end = performance.now() + startLimitMs; performance.now() < end; await delay(5)) {
      const socket = await connectTo(this.#options.directory);
      const control = socket && (await this.#greeted(socket));
      if (control) return control;
      // When two do this at a time one finds the place taken, and then the other's supervisor.
      await launch(this.#options);
    }
    throw new Unavailable(
      `the supervisor of containers does not answer: ${runDirectory(this.#options.directory).socket}`,
    );
  }

  async #greeted(socket: Socket): Promise<Control | undefined> {
    if (!(await greet(socket, { open: "control" }))) return undefined;
    return new Control(socket, {
      exited: (exit) => this.#exits.add(exit),
      closed: (leaving) => {
        if (!leaving && !this.#closed) void this.resume().catch((error: Error) => this.#exits.fail(error));
      },
    });
  }
}

function notRunning(target: ProcessRef): NotFound {
  return new NotFound(`${keyOf(target)} is not running`);
}
