import { realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import { type OpenArchiveOptions, relay } from "../../../image/index.js";
import { InvalidParameter, isErrno, NotFound, Undo } from "../../../spec/index.js";
import { type Progress, replaces } from "../../progress.js";
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
export async function openSource(
  path: string,
  own: string,
  tmp: string,
  options: OpenArchiveOptions = {},
): Promise<Source> {
  const found = await stat(path).catch((error) => {
    throw isErrno(error, "ENOENT", "ENOTDIR") ? new NotFound(`there is no ${path} to repair from`) : error;
  });
  if (!found.isDirectory()) return await ArchiveSource.open(path, tmp, options);
  if ((await realpath(path)) !== own) return await RootSource.open(path);
  throw new InvalidParameter(`${path} is the data root that is to be repaired: name another one`);
}

/**
 * Opens several, and tells how far it is; last, as `aux`, come all of them, which are the reader's to dispose then.
 *
 * @throws as `openSource`; none is open then
 */
export function openSources(
  paths: readonly string[],
  own: string,
  tmp: string,
  signal?: AbortSignal,
): AsyncIterable<Progress | { readonly aux: readonly Source[] }> {
  return relay<Progress | { readonly aux: readonly Source[] }>(
    async (tell, stop) => {
      await using failed = new Undo();
      const all: Source[] = [];
      for (const path of paths) {
        const source = await openSource(path, own, tmp, { signal: stop, onBytes: reading(path, tell) });
        failed.defer(() => source[Symbol.asyncDispose]());
        all.push(source);
      }
      stop.throwIfAborted();
      tell({ aux: all });
      failed.done();
    },
    { ...(signal && { signal }), replaces },
  );
}

/** Nothing is told of what is no archive. */
function reading(path: string, tell: (progress: Progress) => void): (read: number, total: number) => void {
  const id = basename(path);
  let isTold = false;
  return (current, total) => {
    if (!isTold) tell({ id, status: "reading" });
    isTold = true;
    tell({ id, status: "Reading", progressDetail: { current, total } });
  };
}
