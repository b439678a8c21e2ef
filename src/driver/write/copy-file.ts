import { fstat, O, openat, Stat } from "../../sys/index.js";
import { metaOf } from "../read/node-reader.js";
import { xattrsOf } from "../read/xattrs.js";
import type { Place } from "./apply-meta.js";
import type { Owners } from "./owner-on-disk.js";
import { WritingFile } from "./writing-file.js";

const created = O.O_RDWR | O.O_CREAT | O.O_EXCL | O.O_NOFOLLOW;
const stat = new Stat();

/** Makes a new file like the open file `source`, with all its metadata; content is shared where the file system can. @returns bytes copied */
export function copyFile(source: number, { dir, name, path }: Place, owners: Owners): number {
  const { size } = fstat(source, stat);
  const meta = metaOf(stat, xattrsOf(source, "all"));
  const file = new WritingFile(openat(dir, name, created, 0o600), path, meta, size, false);
  let copied = 0;
  try {
    copied = file.clone(source);
  } catch (error) {
    file.abandon();
    throw error;
  }
  file.finish(owners);
  return copied;
}
