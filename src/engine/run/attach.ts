import { Conflict, detachKeys, InvalidParameter, nowNs, usualDetachKeys } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { AttachOptions, ProcessStream } from "../processes.js";
import { ClientStream } from "./client-stream.js";
import { storedLog } from "./logs.js";

/** @see Processes.attach */
export async function attachTo(parts: ContainerParts, name: string, options: AttachOptions): Promise<ProcessStream> {
  const { store, supervisor } = parts;
  const container = store.find(name);
  const { ID: id, Config: config, State: state } = container.stored;
  if (state.Paused) throw new Conflict(`container ${name} is paused, unpause the container before attach`);
  const keys = keysOf(options.detachKeys);
  const { stdin = false, stdout = false, stderr = false, logs = false, stream = false } = options;
  const tty = config.Tty ?? false;
  const streams = { stdin: stdin && (config.OpenStdin ?? false), stdout, stderr, withBegun: logs };
  const live = stream ? await supervisor.attach({ id }, streams) : undefined;
  const { place, atNs } = live?.mark ?? { atNs: nowNs() };
  const past = logs
    ? storedLog(parts, container, { stdout, stderr, ...(place ? { before: { ...place, atNs } } : { untilNs: atNs }) })
    : undefined;
  emitContainer(parts, container, "attach");
  const leave = tty && streams.stdin && { keys, left: () => emitContainer(parts, container, "detach") };
  if (live && !past && !leave) return { tty, stream: live };
  return { tty, stream: new ClientStream({ ...(past && { past }), ...(live && { live }), ...(leave && { leave }) }) };
}

/** Unless given those that are usual. @throws InvalidParameter */
function keysOf(text: string = usualDetachKeys): Uint8Array {
  try {
    return detachKeys(text);
  } catch (error) {
    throw new InvalidParameter(`Invalid detach keys (${text}) provided`, { cause: error });
  }
}
