import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { AttachedStream, LogMark } from "./contract.js";

/** The client's end of an attach connection past its first line: puts what is written into pieces. */
export class AttachStream extends Duplex implements AttachedStream {
  readonly mark: LogMark;
  readonly #socket: Socket;

  constructor(socket: Socket, mark: LogMark) {
    super({ allowHalfOpen: true, readableHighWaterMark: 256 << 10, writableHighWaterMark: 256 << 10 });
    this.mark = mark;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
    socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    if (chunk.length === 0) {
      done();
      return;
    }
    this.#socket.cork();
    this.#socket.write(lengthOf(chunk));
    // A socket that has been closed by the process's end takes nothing, and nobody misses it.
    this.#socket.write(chunk, () => done());
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.write(lengthOf(Buffer.alloc(0)), () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

function lengthOf(chunk: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(chunk.length);
  return length;
}
