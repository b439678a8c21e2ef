import { Duplex } from "node:stream";

/** A stream as it is, whose reading side ends only when `before` has settled. */
export class EndsAfter extends Duplex {
  readonly #live: Duplex;

  constructor(live: Duplex, before: Promise<unknown>) {
    super();
    this.#live = live;
    live.on("data", (chunk) => {
      if (!this.push(chunk)) live.pause();
    });
    live.once("end", () => {
      const end = () => this.push(null);
      before.then(end, end);
    });
    live.once("error", (error) => this.destroy(error));
    live.once("close", () => {
      if (!live.readableEnded) this.destroy();
    });
  }

  override _read(): void {
    this.#live.resume();
  }

  override _write(chunk: Uint8Array, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#live.write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#live.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#live.destroy();
    done(error);
  }
}
