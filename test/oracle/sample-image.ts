import { dockerArchive } from "../../src/cli/tour/docker-archive.js";
import { sampleLayers } from "../../src/cli/tour/sample.js";

/**
 * The tour's sample image, a docker archive: four layers of this machine's own programs, one with a whiteout and one
 * with an opaque directory.
 */
export function sampleArchive(tag: string): Promise<Buffer> {
  cached ??= sampleLayers();
  return cached.then((layers) => dockerArchive(layers, tag));
}

let cached: ReturnType<typeof sampleLayers> | undefined;

/** What `sampleSays` prints in the image as it is. */
export const sampleSays = [
  "sh",
  "-c",
  "cat /etc/app.conf; ls /usr/share/greetings; cat /etc/motd 2>/dev/null || echo no motd",
];
export const sampleAnswer = "colour = red\nsize = small\nhello\nno motd";

/** One stream of one chunk. */
export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Reads a stream of messages to its end. */
export async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}
