import { FileBody } from "../read/file-body.js";
import { readTree } from "../read/read-tree.js";
import { Writer } from "../write/open-writer.js";

export interface Trees {
  readonly from: string;
  /** An existing directory, empty. */
  readonly to: string;
  /** They are upper directories of overlayfs, whose marks are copied: the prefix of its xattrs. */
  readonly overlay?: string;
}

/**
 * Copies a tree with owners, modes, times, xattrs, devices and hard links, sharing file content where the file system
 * can. Sockets stay behind. Synchronous: for a worker thread.
 *
 * @returns bytes of content that were copied
 */
export function copyTree({ from, to, overlay }: Trees): number {
  const whiteouts = overlay === undefined ? "none" : "overlay";
  const xattrPrefix = overlay ?? "trusted.overlay.";
  const target = { root: to, base: "", whiteouts, xattrPrefix, impliedMode: 0o755 } as const;
  const writer = new Writer({ ...target, rootMeta: true, lenient: false });
  let copied = 0;
  try {
    for (const change of readTree(from, { rootEntry: true, xattrs: "all", whiteouts, xattrPrefix })) {
      writer.change(change);
      if (change.kind === "file" && change.size > 0) copied += cloneBody(writer, change.body);
    }
    writer.finish();
    return copied;
  } finally {
    writer[Symbol.dispose]();
  }
}

function cloneBody(writer: Writer, body: Iterable<Uint8Array>): number {
  if (!(body instanceof FileBody)) throw new TypeError("a walk gives the content of its files as FileBody");
  return writer.clone(body.fd);
}
