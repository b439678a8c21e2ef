/** A piece of what a process wrote to standard output (1) or standard error (2). */
export interface Frame {
  readonly stream: number;
  readonly bytes: Uint8Array;
}

const headSize = 8;

/**
 * Takes apart what a process without a terminal wrote: heads of 8 bytes (the stream, three zeros, the length as 32 bits,
 * the highest first), each with its bytes. Those may come in several pieces.
 *
 * @throws Error: it ends inside a frame
 * @see engine-api 2.2
 */
export async function* frames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let head = Buffer.alloc(0);
  let left = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        const part = chunk.subarray(at, at + headSize - (head.length % headSize));
        head = Buffer.concat([head.length === headSize ? Buffer.alloc(0) : head, part]);
        at += part.length;
        if (head.length === headSize) left = head.readUInt32BE(4);
        continue;
      }
      const bytes = chunk.subarray(at, at + left);
      at += bytes.length;
      left -= bytes.length;
      yield { stream: head[0] ?? 1, bytes };
    }
  }
  if (left > 0 || head.length % headSize !== 0) throw new Error("the daemon ended its answer inside a frame");
}
