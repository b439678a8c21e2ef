import { decompressed, type TarMember, TarParser, type TarSink, tarOfSync } from "../../archive/index.js";
import { jailIfAllowed, type LayerWriter, openWriter, paced, readTree } from "../../driver/index.js";
import type { ChangeHead, SyncChange } from "../../overlayfs/index.js";
import { cleanPath, InvalidParameter } from "../../spec/index.js";
import { recycle, recycled } from "../../threads/index.js";
import type { ExtractJob, FillJob, MeasureJob, TarJob } from "./jobs.js";

/** A tree as a tar archive. For worker threads: files are read synchronously. */
export function tarOfTree({ root, base, as }: TarJob): AsyncIterable<Uint8Array> {
  const walk =
    as === "/"
      ? absolute(readTree(root, { base, rootEntry: true }))
      : readTree(root, { base, ...(as !== undefined && { as, rootEntry: true }) });
  return paced(tarOfSync(walk));
}

/** The same tree with a `/` in front of every name. */
function* absolute(changes: Iterable<SyncChange>): Generator<SyncChange> {
  for (const change of changes) {
    const path = `/${change.path}`;
    yield change.kind === "hardlink" ? { ...change, path, to: `/${change.to}` } : { ...change, path };
  }
}

/** Writes an archive that is no layer: whiteout names mean nothing in it. */
export async function extract({ target }: ExtractJob, tar: AsyncIterable<Uint8Array>): Promise<void> {
  const reader = recycled(decompressed(tar, { onUsed: recycle, isBrief: true }));
  // Asked for outside of the jail: the first piece decides which library or program unpacks the stream.
  let next = await reader.next();
  if (next.done) return;
  try {
    using root = jailIfAllowed(target);
    using writer = openWriter(root.target);
    const parser = new TarParser(new Extraction(writer));
    for (; !next.done; next = await reader.next()) parser.write(next.value);
    parser.end();
    writer.finish();
  } finally {
    await reader.return(undefined);
  }
}

class Extraction implements TarSink {
  readonly #writer: LayerWriter;

  constructor(writer: LayerWriter) {
    this.#writer = writer;
  }

  member(member: TarMember): void {
    this.#writer.change(changeOf(member));
  }

  data(chunk: Uint8Array): void {
    this.#writer.data(chunk);
  }
}

/** What a process confined to the directory would make of a member. */
function changeOf({ kind, name, linkname, meta, size, major, minor }: TarMember): ChangeHead {
  const path = cleanPath(name);
  if (path === "" && kind !== "directory") throw new InvalidParameter(`${JSON.stringify(name)}: not a file name`);
  if (kind === "file") return { kind, path, meta, size };
  if (kind === "symlink") return { kind, path, meta, target: linkname };
  if (kind === "hardlink") return { kind, path, meta, to: cleanPath(linkname) };
  return kind === "char" || kind === "block" ? { kind, path, meta, major, minor } : { kind, path, meta };
}

export async function fill({ root, base, target }: FillJob): Promise<void> {
  using writer = openWriter(target);
  for await (const change of paced(readTree(root, { base, rootEntry: true, xattrs: "all" }))) {
    writer.change(change);
    if (change.kind === "file") for (const chunk of change.body) writer.data(chunk);
  }
  writer.finish();
}

export async function measure({ root }: MeasureJob): Promise<number> {
  let bytes = 0;
  for await (const change of paced(readTree(root, { xattrs: "none" }))) {
    if (change.kind === "file") bytes += change.size;
    else if (change.kind === "symlink") bytes += Buffer.byteLength(change.target);
  }
  return bytes;
}
