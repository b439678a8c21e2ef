import { Duplex } from "node:stream";
import { DetachKeys } from "../../spec/index.js";

export interface ClientStreamParts {
  /** Comes first. */
  readonly past?: AsyncIterable<Uint8Array>;
  /** A process's streams: comes next, and takes what is written; it is destroyed with this one. */
  readonly live?: Duplex;
  /** The reading side ends no sooner than this has settled. */
  readonly until?: Promise<unknown>;
  /** What is written to leave: the live streams are destroyed then, and this ends. */
  readonly leave?: { readonly keys: Uint8Array; left(): void };
}

/** What a client gets of a process, and what it gives to it. Without a live process what is written goes nowhere. */
export class ClientStream extends Duplex {
  readonly #live: Duplex | undefined;
  readonly #keys: DetachKeys | undefined;
  readonly #left: () => void;
  #isLeft = false;
  #wanted: () => void = () => {};

  constructor(parts: ClientStreamParts) {
    super();
    this.#live = parts.live;
    this.#keys = parts.leave && new DetachKeys(parts.leave.keys);
    this.#left = () => parts.leave?.left();
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
    } catch (error) {
      // What the client has destroyed, or left, has nothing to tell.
      if (!this.destroyed && !this.#isLeft) throw error;
    }
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#wanted();
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const { passed, found } = this.#keys?.take(chunk) ?? { passed: chunk, found: false };
    const written = found ? () => this.#leave(done) : done;
    if (passed.length > 0 && this.#live?.writable) this.#live.write(passed, written);
    else written();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#live?.writable) this.#live.end(this.#keys?.rest() ?? "", () => done());
    else done();
  }

  #leave(done: () => void): void {
    this.#isLeft = true;
    this.#live?.destroy();
    this.#wanted();
    this.#left();
    done();
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
