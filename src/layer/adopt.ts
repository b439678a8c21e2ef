import { Carrier } from "../driver/index.js";
import type { Adopted, AdoptJob } from "./jobs.js";
import { parseSplit } from "./parse-split.js";

/** Writes the layer that a tar-split tells of, with the files of a directory. For worker threads. */
export async function adopt({ target, split, content }: AdoptJob): Promise<Adopted> {
  using carrier = new Carrier(content, target, true);
  await parseSplit(split, (change) => carrier.change(change));
  return { diffSize: carrier.finish(), bytesCopied: carrier.bytesCopied };
}
