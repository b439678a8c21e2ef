import { NotFound } from "../../spec/index.js";
import type { ExecCreateBody, ExecInspect } from "../api-process.js";

/** A further process in a container: as it was asked for, and what has become of it. */
export interface Exec {
  readonly id: string;
  readonly container: string;
  readonly body: ExecCreateBody;
  readonly command: readonly string[];
  state: "created" | "running" | "ended";
  pid: number;
  exitCode: number | null;
  /** Settles when it has ended. */
  readonly ended: Promise<number>;
  /** Tells that it has. */
  end(exitCode: number): void;
}

/** How long one that has ended can be asked about. */
const keptMs = 5 * 60_000;

/** Further processes by their ids; those that have ended for five minutes more. */
export class ExecTable {
  readonly #execs = new Map<string, Exec>();

  add(id: string, container: string, body: ExecCreateBody): Exec {
    let told: (exitCode: number) => void = () => {};
    const ended = new Promise<number>((resolve) => {
      told = resolve;
    });
    const exec: Exec = {
      ...{ id, container, body, command: body.Cmd ?? [], state: "created", pid: 0, exitCode: null, ended },
      end: (exitCode) => {
        Object.assign(exec, { state: "ended", exitCode });
        setTimeout(() => this.#execs.delete(id), keptMs).unref();
        told(exitCode);
      },
    };
    this.#execs.set(id, exec);
    return exec;
  }

  find(id: string): Exec | undefined {
    return this.#execs.get(id);
  }

  /** @throws NotFound */
  get(id: string): Exec {
    const exec = this.find(id);
    if (!exec) throw new NotFound(`No such exec instance: ${id}`);
    return exec;
  }

  /** Ids of a container's that have not ended; null when there are none. */
  idsOf(container: string): string[] | null {
    const own = [...this.#execs.values()].filter((exec) => exec.container === container && exec.state !== "ended");
    return own.length > 0 ? own.map(({ id }) => id) : null;
  }

  /** The container is no more. */
  forget(container: string): void {
    for (const exec of this.#execs.values()) {
      if (exec.container === container && exec.state !== "running") this.#execs.delete(exec.id);
    }
  }
}

/** @see Execs.inspect */
export function inspected({ id, container, body, command, state, pid, exitCode }: Exec): ExecInspect {
  const [entrypoint = "", ...rest] = command;
  const { Tty = false, Privileged = false, User, DetachKeys = "" } = body;
  return {
    ID: id,
    Running: state === "running",
    ExitCode: exitCode,
    ProcessConfig: {
      ...{ tty: Tty, entrypoint, arguments: rest, privileged: Privileged },
      ...(User && { user: User }),
    },
    OpenStdin: body.AttachStdin ?? false,
    OpenStderr: body.AttachStderr ?? false,
    OpenStdout: body.AttachStdout ?? false,
    CanRemove: false,
    ContainerID: container,
    DetachKeys,
    Pid: pid,
  };
}
