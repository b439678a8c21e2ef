import { type ReadLogOptions, readLog } from "../../runtime/index.js";
import { InvalidParameter, NotImplemented } from "../../spec/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import type { LogOptions } from "../processes.js";

/** @see Processes.logs */
export async function logsOf(
  parts: ContainerParts,
  name: string,
  options: LogOptions,
): Promise<{ tty: boolean; body: AsyncIterable<Uint8Array> }> {
  if (!options.stdout && !options.stderr) {
    throw new InvalidParameter("Bad parameters: you must choose at least one stream");
  }
  const container = parts.store.find(name);
  const type = container.host.LogConfig?.Type || "json-file";
  if (type !== "json-file") throw new NotImplemented("configured logging driver does not support reading");
  return { tty: container.stored.Config.Tty ?? false, body: storedLog(parts, container, options) };
}

/** What a container's log has, in wire format; of one that was never started nothing. */
export function storedLog(
  parts: ContainerParts,
  container: Container,
  { stdout = false, stderr = false, follow = false, signal, ...options }: LogOptions & Pick<ReadLogOptions, "before">,
): AsyncIterable<Uint8Array> {
  const { ID: id, LogPath: path, Config: config, State: state } = container.stored;
  if (!path) return nothing();
  const follows = follow && state.Running;
  const ended = new AbortController();
  const stop = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
  if (follows) {
    const over = () => ended.abort();
    void endOfRuns(parts, id, stop).then(over, over);
  }
  return readLog(path, {
    ...{ stdout, stderr, ...options },
    framed: !config.Tty,
    ...(follows && { follow: stop }),
    ...(signal && { signal }),
  });
}

/** Resolves when the container has ended and is not started again. */
async function endOfRuns({ store, lives }: ContainerParts, id: string, signal: AbortSignal): Promise<void> {
  while (store.byID(id)?.stored.State.Running && !signal.aborted) await lives.of(id).next("exit", signal);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
