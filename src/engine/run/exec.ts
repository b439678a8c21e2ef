import { execSpec, RuntimeFailure } from "../../runtime/index.js";
import { Conflict, detachKeys, InvalidParameter, NotFound, randomID, usualDetachKeys } from "../../spec/index.js";
import type { ExecCreateBody } from "../api-process.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import type { ExecStartOptions, Execs } from "../execs.js";
import type { ProcessStream } from "../processes.js";
import { runningProcess } from "./bundle.js";
import { ClientStream } from "./client-stream.js";
import { type Exec, inspected } from "./exec-table.js";
import { notRunning } from "./kill.js";
import { startFailure } from "./start-failure.js";

/** Further processes in the containers of one data root. */
export function execOperations(parts: ContainerParts): Execs {
  const { execs, supervisor } = parts;
  return {
    create: async (name, body) => ({ Id: createExec(parts, name, body).id }),
    start: (id, options) => startExec(parts, execs.get(id), options),
    async resize(id, size) {
      const { container, state } = execs.get(id);
      if (state !== "running") throw new NotFound(`No such exec instance: ${id}`);
      await supervisor.resize({ id: container, execID: id }, size);
    },
    inspect: async (id) => inspected(execs.get(id)),
  };
}

/** @see Execs.create */
export function createExec(parts: ContainerParts, name: string, body: ExecCreateBody): Exec {
  const container = parts.store.find(name);
  if (!body.Cmd?.length) throw new InvalidParameter("No exec command specified");
  assertRuns(container, name);
  keysOf(body);
  const exec = parts.execs.add(randomID(), container.stored.ID, body);
  tell(parts, container, exec, "exec_create");
  return exec;
}

/** Unless given those that are usual. @throws Error: one of them is none, for dockerd a fault of its own */
function keysOf({ DetachKeys: text }: ExecCreateBody): Uint8Array {
  try {
    return detachKeys(text || usualDetachKeys);
  } catch (error) {
    throw new Error(`Invalid escape keys (${text}) provided`, { cause: error });
  }
}

function assertRuns({ stored }: Container, name: string): void {
  const { ID: id, State: state } = stored;
  if (!state.Running) throw notRunning(id);
  if (state.Paused) throw new Conflict(`Container ${name} is paused, unpause the container before exec`);
  if (state.Restarting) throw new Conflict(`Container ${id} is restarting, wait until the container is running`);
}

function tell(parts: ContainerParts, container: Container, { id, command }: Exec, action: string): void {
  const [entrypoint = "", ...rest] = command;
  emitContainer(parts, container, `${action}: ${entrypoint} ${rest.join(" ")}`, { execID: id });
}

async function startExec(
  parts: ContainerParts,
  exec: Exec,
  { detach = false, tty: asTTY }: ExecStartOptions,
): Promise<ProcessStream | undefined> {
  const { store, supervisor } = parts;
  const { id, body } = exec;
  const target = { id: exec.container, execID: id };
  const {
    AttachStdin: stdin = false,
    AttachStdout: stdout = false,
    AttachStderr: stderr = false,
    Tty: tty = false,
  } = body;
  const container = store.find(exec.container);
  assertRuns(container, exec.container);
  const failed = (error: Error) => {
    if (detach) throw error;
    const raw = asTTY ?? tty;
    return { tty: raw, stream: new ClientStream({ past: lastWords(error.message, raw) }) };
  };
  if (exec.state !== "created") {
    const again = exec.state === "ended" ? "has already run" : "is already running";
    return failed(new Conflict(`Error: Exec command ${id} ${again}`));
  }
  exec.state = "running";
  const attached = detach ? undefined : supervisor.attach(target, { stdin, stdout, stderr });
  try {
    await launch(parts, container, exec, attached);
  } catch (error) {
    await attached?.then((live) => live.destroy()).catch(() => {});
    await supervisor.abandon(target).catch(() => {});
    if (error instanceof RuntimeFailure || error instanceof InvalidParameter) return failed(error);
    throw error;
  }
  const live = await attached;
  const left = () => emitContainer(parts, container, "exec_detach", { execID: id });
  const leave = tty && stdin && { keys: keysOf(body), left };
  return live && { tty, stream: new ClientStream({ live, until: exec.ended, ...(leave && { leave }) }) };
}

/**
 * Starts the process of an exec that is marked as running; without success it has ended with 126.
 *
 * @param attached is waited for before it starts
 */
export async function launch(
  parts: ContainerParts,
  container: Container,
  exec: Exec,
  attached?: Promise<unknown>,
): Promise<void> {
  const { lives, supervisor } = parts;
  const { id, body, command } = exec;
  const { User: user, WorkingDir, Env, Tty: tty = false, ConsoleSize, Privileged: privileged = false } = body;
  tell(parts, container, exec, "exec_start");
  try {
    const specified = execSpec({
      rootfs: lives.of(exec.container).held?.rootfs ?? "",
      config: container.stored.Config,
      host: container.host,
      running: runningProcess(parts, exec.container),
      ...{ command, tty, privileged, ...(user && { user }), ...(WorkingDir && { workingDir: WorkingDir }) },
      ...(Env && { env: Env }),
      ...(ConsoleSize && { consoleSize: ConsoleSize }),
    });
    const [process] = await Promise.all([specified, attached]);
    const openStdin = body.AttachStdin ?? false;
    const started = await supervisor.exec({ id: exec.container, execID: id, process, tty, openStdin });
    exec.pid = started.pid;
  } catch (error) {
    exec.end(126);
    throw error instanceof RuntimeFailure ? startFailure(command[0] ?? "", error).error : error;
  }
}

/** An exec that the supervisor says has ended. */
export function execEnded(parts: ContainerParts, container: string, id: string, exitCode: number): void {
  const exec = parts.execs.find(id);
  if (!exec || exec.state === "ended") return;
  exec.end(exitCode);
  const there = parts.store.byID(container);
  if (there) emitContainer(parts, there, "exec_die", { execID: id, exitCode: String(exitCode) });
}

/** That a process did not start, as dockerd tells it. */
async function* lastWords(message: string, tty: boolean): AsyncGenerator<Uint8Array> {
  const text = Buffer.from(`${message}\r\n`);
  const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(text.length, 4);
  yield tty ? text : Buffer.concat([head, text]);
}
