import { type Digest, Digester, DigestMismatch } from "./digest.js";
import { DataLoss } from "./errors.js";

/**
 * The same bytes, checked as they pass: a reader that reaches the end without an error has had exactly what `blob`
 * promises.
 *
 * @param what how errors name it
 * @throws DigestMismatch: at the end, other bytes; DataLoss: more or fewer than `blob.size`
 */
export async function* verified(
  bytes: AsyncIterable<Uint8Array>,
  blob: { readonly digest: Digest; readonly size: number },
  what: string,
): AsyncGenerator<Uint8Array> {
  const digester = new Digester();
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > blob.size) throw new DataLoss(`${what}: more than the ${blob.size} bytes it should have`);
    digester.update(chunk);
    yield chunk;
  }
  if (size < blob.size) throw new DataLoss(`${what}: ${size} bytes, it should have ${blob.size}`);
  const actual = digester.digest();
  if (actual !== blob.digest) throw new DigestMismatch(what, blob.digest, actual);
}
