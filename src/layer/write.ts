import { LayerParser } from "../archive/index.js";
import { jailIfAllowed, openWriter } from "../driver/index.js";
import { recycled } from "../threads/index.js";
import type { WriteJob } from "./jobs.js";

/** Writes a layer's files. For worker threads: all writing is synchronous. @returns bytes, as the driver counts them */
export async function write(job: WriteJob, tar: AsyncIterable<Uint8Array>): Promise<number> {
  using root = jailIfAllowed(job.target);
  using writer = openWriter(root.target);
  const parser = new LayerParser(writer);
  for await (const chunk of recycled(tar)) parser.write(chunk);
  parser.end();
  return writer.finish();
}
