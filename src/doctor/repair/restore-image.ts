import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureDirectory, writeAtomic } from "../../disk/index.js";
import { hexOf, type ImageID, imageIDOf, messageOf, NotFound } from "../../spec/index.js";
import type { Restoring } from "./restoring.js";

/** Writes an image's config anew. @returns from where it came @throws NotFound: nobody has it, with the reasons */
export async function restoreImage({ state, sources, quarantine, signal }: Restoring, id: ImageID): Promise<string> {
  const failures: string[] = [];
  for (const source of sources) {
    try {
      for await (const bytes of source.images(id, state)) {
        if (imageIDOf(bytes) !== id) continue;
        const dir = join(state.images.path, "imagedb", "content", "sha256");
        const path = join(dir, hexOf(id));
        await ensureDirectory(dir, 0o700);
        if (existsSync(path)) quarantine.take(path, `the config of image ${id} was damaged`);
        await writeAtomic(path, bytes, { mode: 0o600 });
        return `from ${source.name}`;
      }
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${source.name}: ${messageOf(error)}`);
    }
  }
  const why = failures.length > 0 ? `: ${failures.join("; ")}` : "";
  throw new NotFound(`nobody has the config of image ${id}${why}`);
}
