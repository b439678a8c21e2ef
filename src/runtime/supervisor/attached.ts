import type { Socket } from "node:net";
import type { OutputStream } from "../log/line-encoder.js";
import type { AttachStreams } from "./contract.js";

/** What is kept for a client that does not read; with more, the process has to wait. */
const waitingLimit = 1 << 20;

export interface AttachedEvents {
  /** Bytes for stdin. */
  input(bytes: Buffer): void;
  /** The client says that there is no more. */
  inputEnded(): void;
  /** There is room again after `send` returned false. */
  drained(): void;
  gone(): void;
}

/** One client's connection to a process, past its first line. */
export class Attached {
  readonly streams: AttachStreams;
  readonly #socket: Socket;
  readonly #events: AttachedEvents;
  readonly #head = Buffer.alloc(4);
  #headSize = 0;
  /** Bytes left of the piece that is being read. */
  #left = 0;
  #full = false;

  constructor(socket: Socket, streams: AttachStreams, events: AttachedEvents) {
    this.streams = streams;
    this.#socket = socket;
    this.#events = events;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    // A client that has gone, be it killed, has detached; the end of stdin it would have said.
    socket.on("end", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => {
      events.gone();
      events.drained();
    });
    socket.resume();
  }

  wants(stream: OutputStream): boolean {
    return this.streams[stream];
  }

  /** @returns false: nothing more, please, until `drained` */
  send(bytes: Buffer): boolean {
    this.#socket.write(bytes, () => {
      if (!this.#full || this.#socket.writableLength > waitingLimit / 2) return;
      this.#full = false;
      this.#events.drained();
    });
    this.#full ||= this.#socket.writableLength >= waitingLimit;
    return !this.#full;
  }

  /** All has been sent. */
  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const bytes = chunk.subarray(at, at + this.#left);
        this.#left -= bytes.length;
        at += bytes.length;
        this.#events.input(bytes);
      } else {
        this.#head[this.#headSize++] = chunk[at++]!;
        if (this.#headSize < 4) continue;
        this.#headSize = 0;
        this.#left = this.#head.readUInt32BE();
        if (this.#left === 0) this.#events.inputEnded();
      }
    }
  }
}
