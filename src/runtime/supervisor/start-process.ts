import { join } from "node:path";
import { messageOf } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { wallClockNs } from "../log/clock.js";
import { LogWriter } from "../log/writer.js";
import type { Containers } from "./containers.js";
import type { LogTarget, ProcessRef } from "./contract.js";
import type { Records } from "./records.js";
import { prepareStdio } from "./stdio.js";
import type { Streams } from "./streams.js";
import { SupervisedProcess } from "./supervised.js";

/** How a process is started: what `start` and `exec` differ in. */
export interface Launch {
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

export interface StartParts {
  /** The run directory. */
  readonly directory: string;
  readonly records: Records;
  readonly containers: Containers;
  /** The clients it may have already. */
  readonly streams: Streams;
  /** For the log of the supervisor. */
  say(message: string): void;
}

let consoles = 0;

/** Has the runtime start a process, and takes its standard streams; all or nothing. @throws RuntimeFailure */
export async function startProcess(launch: Launch, parts: StartParts): Promise<SupervisedProcess> {
  const { target, bundle, tty, openStdin, inputEnds } = launch;
  const { directory, records, containers, streams } = parts;
  let process: SupervisedProcess | undefined;
  let log: LogWriter | undefined;
  let pid: number | undefined;
  const failed = (error: unknown): never => {
    throw launch.failure(error);
  };
  if (bundle !== undefined) containers.has(target.id, bundle);
  try {
    log = await openLog(launch.log, { drained: () => process?.logDrained(), failed: parts.say });
    const record = bundle === undefined ? target : { ...target, bundle };
    records.write(record);
    using stdio = prepareStdio(tty, openStdin, join(directory, `tty${++consoles}`));
    const args = [...launch.arguments(records.scratch(target)), ...stdio.args];
    const started = { pid: await containers.run(target, args, stdio.child).catch(failed), startedAtNs: wallClockNs() };
    pid = started.pid;
    records.write({ ...record, ...started });
    process = new SupervisedProcess(target, started, { stdio, streams, log, tty, inputEnds });
    return process;
  } catch (error) {
    if (pid !== undefined) await endUnsupervised(target, pid, containers);
    await log?.close();
    records.remove(target);
    if (bundle !== undefined) await containers.removeBundle(target.id);
    throw error;
  }
}

async function openLog(
  target: LogTarget | undefined,
  events: Parameters<typeof LogWriter.open>[1],
): Promise<LogWriter | undefined> {
  try {
    return target && (await LogWriter.open(target, events));
  } catch (error) {
    throw new RuntimeFailure(`failed to initialize logging driver: ${messageOf(error)}`, { cause: error });
  }
}

/** It runs, and nobody has its streams. */
async function endUnsupervised(target: ProcessRef, pid: number, containers: Containers): Promise<void> {
  if (target.execID === undefined) await containers.deleteForcibly(target.id);
  else process.kill(pid, "SIGKILL");
}
