import { realpath, stat } from "node:fs/promises";
import { InvalidParameter, isErrno, NotFound } from "../../../spec/index.js";
import { ArchiveSource } from "./archive-source.js";
import { RootSource } from "./root-source.js";
import type { Source } from "./source.js";

/**
 * What a path leads to: another data root, or an archive of images.
 *
 * @param own the data root to be repaired
 * @param tmp a directory for what a compressed archive is unpacked to
 * @throws NotFound; InvalidParameter: it is neither, or the root itself
 */
export async function openSource(path: string, own: string, tmp: string): Promise<Source> {
  const found = await stat(path).catch((error) => {
    throw isErrno(error, "ENOENT", "ENOTDIR") ? new NotFound(`there is no ${path} to repair from`) : error;
  });
  if (!found.isDirectory()) return await ArchiveSource.open(path, tmp);
  if ((await realpath(path)) !== own) return await RootSource.open(path);
  throw new InvalidParameter(`${path} is the data root that is to be repaired: name another one`);
}
