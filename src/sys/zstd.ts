import { DataLoss, messageOf, Unavailable } from "../spec/index.js";
import { koffi } from "./libc.js";

/** The few functions of libzstd we call. @see zstd.h, "Streaming decompression" */
interface LibZstd {
  createDStream(): bigint | null;
  freeDStream(stream: bigint): number;
  setParameter(stream: bigint, parameter: number, value: number): number;
  decompressStream(stream: bigint, output: Uint8Array, input: Uint8Array): number;
  isError(code: number | bigint): number;
  getErrorName(code: number | bigint): string;
}

let loaded: LibZstd | undefined;

function libzstd(): LibZstd {
  loaded ??= load();
  return loaded;
}

function load(): LibZstd {
  try {
    const library = koffi().load("libzstd.so.1");
    return {
      createDStream: library.func("void *ZSTD_createDStream()"),
      freeDStream: library.func("size_t ZSTD_freeDStream(void *)"),
      setParameter: library.func("size_t ZSTD_DCtx_setParameter(void *, int, int)"),
      decompressStream: library.func("size_t ZSTD_decompressStream(void *, void *, void *)"),
      isError: library.func("uint ZSTD_isError(size_t)"),
      getErrorName: library.func("str ZSTD_getErrorName(size_t)"),
    };
  } catch (cause) {
    const what = "zstd needs libzstd.so.1 here (install the package libzstd1, or run Node 22.15 or newer)";
    throw new Unavailable(`${what}: ${messageOf(cause)}`, { cause });
  }
}

const outputSize = 256 * 1024;
const windowLogMax = 100;

/**
 * Decompresses one zstd stream, or several one after the other, piece by piece: `push` every piece, then `finish`.
 * Synchronous; for worker threads. Memory: the stream's window, at most `2 ** windowLog` bytes, and 256 KiB.
 */
export class ZstdDecompressor implements Disposable {
  #stream: bigint | undefined;
  #output = Buffer.allocUnsafeSlow(outputSize);
  #filled = 0;
  #pending = true;
  // ZSTD_inBuffer and ZSTD_outBuffer have one shape: pointer, size, position.
  #in = new BigUint64Array(3);
  #out = new BigUint64Array(3);

  /**
   * @param windowLog a stream with a larger window is refused; 27 is what `zstd` itself accepts without `--long`
   * @throws Unavailable: this machine has no libzstd
   */
  constructor(windowLog = 27) {
    const stream = libzstd().createDStream();
    if (!stream) throw new Unavailable("libzstd: out of memory");
    this.#stream = stream;
    this.#check(libzstd().setParameter(stream, windowLogMax, windowLog));
  }

  /**
   * What `chunk` decompresses to, as pulled; all of it has to be pulled before the next push. Pieces are not written
   * to again. @throws DataLoss: this is not zstd, damaged, or needs a window larger than allowed
   */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    if (chunk.length === 0) return;
    for (let at = 0, more = true; more; ) {
      if (this.#filled === outputSize) this.#freshOutput();
      const from = this.#filled;
      at = this.#step(chunk, at);
      more = at < chunk.length || this.#filled === outputSize;
      if (this.#filled > from) yield this.#output.subarray(from, this.#filled);
    }
  }

  /** To be called at the end of the input. @throws DataLoss: the stream ends before its last frame does */
  finish(): void {
    this[Symbol.dispose]();
    if (this.#pending) throw new DataLoss("zstd stream ends too early: it was cut off");
  }

  /** Frees the window; also done by `finish`. */
  [Symbol.dispose](): void {
    if (this.#stream !== undefined) libzstd().freeDStream(this.#stream);
    this.#stream = undefined;
  }

  #freshOutput(): void {
    this.#output = Buffer.allocUnsafeSlow(outputSize);
    this.#filled = 0;
  }

  /** One call of the library. @returns how much of `chunk` is consumed now */
  #step(chunk: Uint8Array, at: number): number {
    if (this.#stream === undefined) throw new Error("zstd stream pushed to after its end");
    this.#in.set([koffi().address(chunk), BigInt(chunk.length), BigInt(at)]);
    this.#out.set([koffi().address(this.#output), BigInt(outputSize), BigInt(this.#filled)]);
    const bytes = (array: BigUint64Array) => new Uint8Array(array.buffer);
    const left = this.#check(libzstd().decompressStream(this.#stream, bytes(this.#out), bytes(this.#in)));
    const [filled, consumed] = [Number(this.#out[2]), Number(this.#in[2])];
    // A call that had nothing to do asks for the next frame's header, which need not come.
    if (filled > this.#filled || consumed > at) this.#pending = left !== 0;
    this.#filled = filled;
    return consumed;
  }

  #check(code: number): number {
    if (libzstd().isError(code)) throw new DataLoss(`damaged zstd stream: ${libzstd().getErrorName(code)}`);
    return code;
  }
}
