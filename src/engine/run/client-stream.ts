import { Duplex } from "node:stream";

export interface ClientStreamParts {
  /** Comes first. */
  readonly past?: AsyncIterable<Uint8Array>;
  /** A process's streams: comes next, and takes what is written; it is destroyed with this one. */
  readonly live?: Duplex;
  /** The reading side ends no sooner than this has settled. */
  readonly until?: Promise<unknown>;
}

/** What a client gets of a process, and what it gives to it. Without a live process what is written goes nowhere. */
export class ClientStream extends Duplex {
  readonly #live: Duplex | undefined;
  #wanted: () => void = () => {};

  constructor(parts: ClientStreamParts) {
    super();
    this.#live = parts.live;
    void this.#pump(parts).catch((error) => this.destroy(error));
  }

  async #pump(parts: ClientStreamParts): Promise<void> {
    try {
      for await (const chunk of output(parts)) {
        if (this.push(chunk)) continue;
        await new Promise<void>((resolve) => {
          this.#wanted = resolve;
        });
        if (this.destroyed) return;
      }
      this.push(null);
    } catch (error) {
      // What the client has destroyed has nothing to tell.
      if (!this.destroyed) throw error;
    }
  }

  override _read(): void {
    this.#wanted();
  }

  override _write(chunk: Uint8Array, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#live?.writable) this.#live.write(chunk, encoding, done);
    else done();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#live?.writable) this.#live.end(() => done());
    else done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#live?.destroy();
    this.#wanted();
    done(error);
  }
}

async function* output({ past, live, until }: ClientStreamParts): AsyncGenerator<Uint8Array> {
  if (past) yield* past;
  // Its writing side is the client's to end.
  if (live) yield* live.iterator({ destroyOnReturn: false });
  await until?.catch(() => {});
}
