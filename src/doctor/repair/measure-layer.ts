import { dirname, join } from "node:path";
import { writeAtomic } from "../../disk/index.js";
import { parseSplit } from "../../layer/index.js";
import { encodeName } from "../../spec/index.js";

/**
 * Writes the `size` of a layer, counted from its tar-split: bytes of its files, with overlay2 those of link targets as
 * well. @throws DataLoss: the tar-split is missing or damaged
 */
export async function measureLayer(path: string): Promise<void> {
  const entry = dirname(path);
  // image/DRIVER/layerdb/sha256/HEX/size
  const isOverlay2 = path.split("/").at(-5) === "overlay2";
  const sizes = new Map<string, number>();
  await parseSplit(join(entry, "tar-split.json.gz"), (change) => {
    // Of two entries of one name the later counts.
    sizes.delete(change.path);
    if (change.kind === "file") sizes.set(change.path, change.size);
    if (change.kind === "symlink" && isOverlay2) sizes.set(change.path, encodeName(change.target).length);
  });
  const size = [...sizes.values()].reduce((sum, each) => sum + each, 0);
  await writeAtomic(path, String(size));
}
