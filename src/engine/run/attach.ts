import { Duplex, PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Conflict, nowNs } from "../../spec/index.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { AttachOptions, ProcessStream } from "../processes.js";
import { storedLog } from "./logs.js";

/** @see Processes.attach */
export async function attachTo(parts: ContainerParts, name: string, options: AttachOptions): Promise<ProcessStream> {
  const { store, supervisor } = parts;
  const container = store.find(name);
  const { ID: id, Config: config, State: state } = container.stored;
  if (state.Paused) throw new Conflict(`container ${name} is paused, unpause the container before attach`);
  const { stdin = false, stdout = false, stderr = false, logs = false, stream = false } = options;
  const tty = config.Tty ?? false;
  const streams = { stdin: stdin && (config.OpenStdin ?? false), stdout, stderr };
  const live = stream ? await supervisor.attach({ id }, streams) : undefined;
  const past = logs ? storedLog(parts, container, { stdout, stderr, untilNs: nowNs() }) : undefined;
  emitContainer(parts, container, "attach");
  return { tty, stream: joined(past, live) };
}

/** First what was, then what is. */
function joined(past: AsyncIterable<Uint8Array> | undefined, live: Duplex | undefined): Duplex {
  if (!past) return live ?? Duplex.from({ readable: Readable.from([]), writable: drain() });
  if (!live) return Duplex.from({ readable: Readable.from(past), writable: drain() });
  const output = new PassThrough();
  const stream = Duplex.from({ readable: output, writable: live });
  stream.once("close", () => live.destroy());
  void (async () => {
    await pipeline(Readable.from(past), output, { end: false });
    await pipeline(Readable.from(live), output);
  })().catch((error) => stream.destroy(error));
  return stream;
}

/** Takes what nobody reads. */
function drain(): PassThrough {
  return new PassThrough().resume();
}
