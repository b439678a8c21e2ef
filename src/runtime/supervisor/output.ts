import { Socket } from "node:net";
import { ReadStream } from "node:tty";

/** What is read is used up before the next is read, whatever it is read from. */
const buffer = Buffer.allocUnsafeSlow(64 << 10);

/** The reading end of a container's pipe or terminal. */
export class Output {
  /** Resolves when all has been read, or after `close`. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;

  /**
   * @param fd closed at the end
   * @param onBytes gets what is read, valid until it returns; false: nothing more until `resume`
   */
  constructor(fd: number, tty: boolean, onBytes: (bytes: Buffer) => boolean) {
    const onread = { buffer, callback: (size: number) => onBytes(buffer.subarray(0, size)) };
    this.#socket = tty
      ? new ReadStream(fd, { onread } as object)
      : new Socket({ fd, readable: true, writable: false, onread } as object);
    // A terminal that nobody has open any more fails with EIO: that is its end.
    this.#socket.on("error", () => {});
    this.ended = new Promise((resolve) => this.#socket.on("close", () => resolve()));
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
