import { relative } from "node:path";
import { keptThings } from "../../doctor/index.js";
import { size } from "../format/size.js";
import { type Format, print, printListing } from "../print.js";

const columns = { REMOVED: "When", SIZE: "Size", INODES: "Inodes", PATH: "Path", WHY: "Why" };

/** Prints what repairs have removed or replaced, the oldest first; `Path` is where it was, from the root. */
export async function printKept(root: string, format: Format | undefined, signal: AbortSignal): Promise<void> {
  const kept = await keptThings(root, signal);
  const rows = kept.map(({ path, why, when, at, Bytes, Inodes }) => ({
    ...{ When: when, Size: size(Bytes, 4), Inodes: String(Inodes), Path: path, Why: why },
    ...{ SizeBytes: String(Bytes), KeptIn: relative(root, at) },
  }));
  if (format === "json") return await printListing({ rows, columns }, format);
  if (rows.length === 0) return await print(`No repair of ${root} has kept anything.`);
  await printListing({ rows, columns }, format);
  const bytes = kept.reduce((sum, { Bytes }) => sum + Bytes, 0);
  const things = rows.length === 1 ? "1 thing" : `${rows.length} things`;
  await print(`${things}, ${size(bytes, 4)}: layerkit repair --put-back PATH moves it back, --purge deletes all.`);
}
