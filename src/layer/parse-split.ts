import { LayerParser } from "../archive/index.js";
import type { ChangeHead } from "../overlayfs/index.js";
import { readSplit } from "./rebuild.js";

/** In place of any content. */
const zeros = Buffer.alloc(1 << 20);

/** Tells the changes that a layer's archive consists of, by its tar-split alone: without the content of files. */
export async function parseSplit(split: string, tell: (change: ChangeHead) => void): Promise<void> {
  const parser = new LayerParser({ change: tell, data: () => {} });
  for await (const records of readSplit(split)) {
    for (const record of records) {
      if (record.kind === "segment") parser.write(record.payload);
      else for (let left = record.size; left > 0; left -= zeros.length) parser.write(zeros.subarray(0, left));
    }
  }
  parser.end();
}
