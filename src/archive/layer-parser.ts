import type { ChangeSink } from "../overlayfs/index.js";
import { NotImplemented } from "../spec/index.js";
import type { TarSplitWriter } from "./tar-split.js";

export interface LayerParserOptions {
  /** Also records how to rebuild the archive; the caller ends it. */
  readonly split?: TarSplitWriter;
}

/**
 * Reads a layer's tar archive, pushed in pieces of any size, into changes: `.wh.` names become whiteouts and opaque
 * markers, names and hard link targets clean paths. A root entry (`./`, `/`) is a `directory` change with path `""`.
 * The bytes given to `sink.data` may be used only until it returns.
 *
 * What cannot be saved again is refused, also where dockerd takes it: `..` in names and hard link targets, two
 * entries of one name, whiteouts with content, sparse files; so are overlay's own xattrs, device 0:0 and names that
 * no kernel takes (255 bytes a name, 4095 a path). At most 10,000,000 entries.
 */
export class LayerParser {
  constructor(sink: ChangeSink, options?: LayerParserOptions) {
    void sink;
    void options;
  }

  /** @throws InvalidParameter: one line that names the entry; the parser is not used afterwards */
  write(chunk: Uint8Array): void {
    throw new NotImplemented(`layer ${chunk.length}`);
  }

  /** The archive has ended. @throws InvalidParameter: in the middle of something */
  end(): void {
    throw new NotImplemented("layer");
  }
}
