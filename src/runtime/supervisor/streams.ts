import type { Socket } from "node:net";
import type { OutputStream } from "../log/line-encoder.js";
import { Attached } from "./attached.js";
import type { AttachStreams } from "./contract.js";
import type { Input } from "./input.js";

/** What clients send before the process has started. */
const earlyLimit = 1 << 20;
const streamNumber = { stdout: 1, stderr: 2 } as const;

export interface BegunLines {
  /** What of a line is not in the log, since its end has not come. */
  begun(stream: OutputStream): Buffer;
}

/** The clients of one process, from before its start to its end. */
export class Streams {
  readonly #clients = new Set<Attached>();
  readonly #drained: () => void;
  #tty = false;
  #endsWithClient = false;
  #input: Input | undefined;
  #early: Buffer[] | undefined = [];
  #earlySize = 0;
  #inputEnded = false;

  /** @param drained there is room again after `give` returned false */
  constructor(drained: () => void) {
    this.#drained = drained;
  }

  get empty(): boolean {
    return this.#clients.size === 0;
  }

  /** @param process it runs already, and has lines of which clients may want the beginning */
  add(socket: Socket, streams: AttachStreams, gone: () => void, process?: BegunLines): void {
    const attached: Attached = new Attached(socket, streams, {
      input: (bytes) => streams.stdin && this.#take(bytes),
      inputEnded: () => streams.stdin && this.#endInput(),
      drained: () => this.#drained(),
      gone: () => {
        this.#clients.delete(attached);
        gone();
      },
    });
    this.#clients.add(attached);
    if (!process || !streams.withBegun) return;
    for (const stream of ["stdout", "stderr"] as const) {
      const bytes = process.begun(stream);
      if (bytes.length > 0 && streams[stream]) attached.send(this.#message(stream, bytes));
    }
  }

  /** The process runs. @param input undefined: it reads nothing @param endsWithClient the first end of stdin is its own */
  begin(tty: boolean, input: Input | undefined, endsWithClient: boolean): void {
    this.#tty = tty;
    this.#input = input;
    this.#endsWithClient = endsWithClient;
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const bytes of early) input?.write(bytes);
    if (this.#inputEnded) this.#endInput();
    this.inputDrained();
  }

  /** @param bytes the caller's again when this returns @returns false: nothing more, please, until drained */
  give(stream: OutputStream, bytes: Uint8Array): boolean {
    let room = true;
    let message: Buffer | undefined;
    for (const client of this.#clients) {
      if (!client.wants(stream)) continue;
      message ??= this.#message(stream, bytes);
      room = client.send(message) && room;
    }
    return room;
  }

  /** All has been given. */
  end(): void {
    for (const client of this.#clients) client.end();
  }

  inputDrained(): void {
    for (const client of this.#clients) client.resume();
  }

  #message(stream: OutputStream, bytes: Uint8Array): Buffer {
    return this.#tty ? Buffer.from(bytes) : framed(stream, bytes);
  }

  #take(bytes: Buffer): void {
    if (this.#early) {
      this.#early.push(bytes);
      this.#earlySize += bytes.length;
      if (this.#earlySize >= earlyLimit) this.#pauseClients();
    } else if (this.#input && !this.#input.write(bytes)) {
      this.#pauseClients();
    }
  }

  #pauseClients(): void {
    for (const client of this.#clients) client.pause();
  }

  #endInput(): void {
    this.#inputEnded = true;
    if (!this.#early && this.#endsWithClient) this.#input?.end();
  }
}

/** @see moby api, ContainerAttach, "Stream format" */
function framed(stream: OutputStream, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(8 + bytes.length);
  frame.writeUInt32BE(streamNumber[stream] * 0x1000000, 0);
  frame.writeUInt32BE(bytes.length, 4);
  frame.set(bytes, 8);
  return frame;
}
