import { LayerParser, TarEncoder } from "../archive/index.js";
import { openWriter, paced, readDiff } from "../driver/index.js";
import { type DiffID, Digester } from "../spec/index.js";
import type { RecordJob, Unpacked } from "./jobs.js";
import { SplitFile } from "./split-file.js";

/** So many bytes are worth a message to who waits. */
const step = 1 << 20;

/**
 * Makes a layer of what `job.source` gives, as if the archive of that were unpacked, in one pass and without an
 * archive: the entries' headers are encoded to be hashed and recorded, the content goes from file to file and is hashed
 * as the layer has it. For worker threads.
 *
 * @param onBytes told how many bytes of the archive have been made, now and then
 */
export async function record(job: RecordJob, onBytes: (bytes: number) => void): Promise<Unpacked> {
  using split = new SplitFile(job.split);
  using writer = openWriter(job.target);
  const sink = { change: writer.change.bind(writer), data: () => {} };
  const parser = new LayerParser(sink, { split: split.writer });
  const digester = new Digester();
  let untold = 0;
  const pass = (bytes: Uint8Array) => {
    digester.update(bytes);
    parser.write(bytes);
    untold += bytes.length;
  };
  const tar = new TarEncoder(job.form);
  for await (const change of paced(readDiff(job.source))) {
    pass(tar.head(change));
    if (change.kind === "file") {
      for (const piece of writer.take(change.body)) pass(piece);
      pass(tar.padding(change.size));
    }
    if (untold >= step) {
      onBytes(untold);
      untold = 0;
    }
    await split.pace();
  }
  pass(tar.end());
  parser.end();
  const diffSize = writer.finish();
  await split.end();
  onBytes(untold);
  return { diffID: digester.digest<DiffID>(), diffSize };
}
