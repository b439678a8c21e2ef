import { closeSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { ReadStream } from "node:tty";
import { duplicate } from "../../sys/index.js";

/** What is read is used up before the next is read, whatever it is read from. */
const buffer = Buffer.allocUnsafeSlow(64 << 10);

/** The reading end of a container's pipe or terminal. */
export class Output {
  /** Resolves when all has been read, or after `close`. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;

  /**
   * @param fd closed at the end; a terminal's does not block
   * @param onBytes gets what is read, valid until it returns; false: nothing more until `resume`
   */
  constructor(fd: number, tty: boolean, onBytes: (bytes: Buffer) => boolean) {
    const onread = { buffer, callback: (size: number) => onBytes(buffer.subarray(0, size)) };
    this.#socket = tty
      ? new ReadStream(fd, { onread } as object)
      : new Socket({ fd, readable: true, writable: false, onread } as object);
    // A terminal that nobody has open any more fails with EIO: that is its end.
    this.#socket.on("error", () => {});
    const rest = tty ? duplicate(fd) : undefined;
    this.ended = new Promise((resolve) =>
      this.#socket.on("close", () => {
        if (rest !== undefined) readRest(rest, onBytes);
        resolve();
      }),
    );
    this.#socket.on("end", () => this.#socket.destroy());
    this.#socket.resume();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/**
 * Reads what a terminal still has when nobody has it open any more. libuv takes that for the end as soon as a read
 * gives less than there was room for, though the kernel may not have handed over the last bytes yet.
 */
function readRest(fd: number, onBytes: (bytes: Buffer) => boolean): void {
  try {
    for (let size = readSync(fd, buffer); size > 0; size = readSync(fd, buffer)) onBytes(buffer.subarray(0, size));
  } catch {
    // EIO: that was all.
  } finally {
    closeSync(fd);
  }
}
