import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { isErrno } from "../../spec/index.js";
import { setWindowSize } from "../../sys/index.js";
import type { TerminalSize } from "./contract.js";

/** What waits to be read by the process; with more, who writes has to wait. */
const waitingLimit = 256 << 10;

/** Where stdin of a process is written. */
export interface Input {
  /** @returns false: nothing more, please, until it is drained; what nobody will read any more goes nowhere */
  write(bytes: Buffer): boolean;
  /** The process reads the end of its stdin after what was written; a terminal has none. */
  end(): void;
  close(): void;
}

/** The writing end of a pipe; the descriptor is closed at the end. */
export class PipeInput implements Input {
  readonly #socket: Socket;

  constructor(fd: number, drained: () => void) {
    this.#socket = new Socket({ fd, readable: false, writable: true, writableHighWaterMark: waitingLimit } as object);
    this.#socket.on("drain", drained);
    this.#socket.on("close", drained);
    // EPIPE: nobody reads it any more.
    this.#socket.on("error", () => {});
  }

  write(bytes: Buffer): boolean {
    return this.#socket.destroyed || this.#socket.write(bytes);
  }

  end(): void {
    // A pipe cannot be shut down as a socket can: its end is read when its last descriptor is closed.
    if (!this.#socket.destroyed) this.#socket.write("", () => this.close());
  }

  close(): void {
    this.#socket.destroy();
  }
}

/**
 * The master of a terminal, which another reads and closes. libuv writes to those only with the whole thread waiting,
 * so that a program that does not read would stop all others.
 */
export class TerminalInput implements Input {
  readonly #fd: number;
  readonly #drained: () => void;
  #waiting: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param fd does not block; closed at the end */
  constructor(fd: number, drained: () => void) {
    this.#fd = fd;
    this.#drained = drained;
  }

  resize({ height, width }: TerminalSize): void {
    if (!this.#closed) setWindowSize(this.#fd, height, width);
  }

  write(bytes: Buffer): boolean {
    if (this.#closed) return true;
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    if (!this.#timer) this.#try(1);
    return this.#waiting.length < waitingLimit;
  }

  end(): void {}

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
    this.#waiting = Buffer.alloc(0);
    clearTimeout(this.#timer);
    this.#drained();
  }

  /** Writes what there is room for; the rest later. */
  #try(nextMs: number): void {
    this.#timer = undefined;
    try {
      while (this.#waiting.length > 0 && !this.#closed) {
        this.#waiting = this.#waiting.subarray(writeSync(this.#fd, this.#waiting));
      }
    } catch (error) {
      if (isErrno(error, "EAGAIN")) {
        this.#timer = setTimeout(() => this.#try(Math.min(2 * nextMs, 100)), nextMs);
        return;
      }
      this.#waiting = Buffer.alloc(0); // EIO: nobody has the terminal open any more.
    }
    this.#drained();
  }
}
