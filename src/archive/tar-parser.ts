import { NotImplemented } from "../spec/index.js";
import type { TarSink } from "./tar-member.js";

/**
 * Reads a tar archive that is pushed in pieces of any size: v7, ustar, PAX, GNU, star. Calls `sink` before `write`
 * returns; holds at most one header and 1 MiB of extended header between calls.
 *
 * Both checksum forms are accepted and verified. Sizes are those of the PAX record where there is one. Refused with
 * one line that names the member: sparse files, unknown types, numbers that do not fit, extended headers beyond
 * 1 MiB, archives that end inside a header or content. Missing end blocks, one end block, and anything behind two
 * are accepted; what is behind them goes to `raw`.
 */
export class TarParser {
  constructor(sink: TarSink) {
    void sink;
  }

  /** @throws InvalidParameter: not a tar archive, or one we do not take; the parser is not used afterwards */
  write(chunk: Uint8Array): void {
    throw new NotImplemented(`tar ${chunk.length}`);
  }

  /** The archive has ended. @throws InvalidParameter: in the middle of something */
  end(): void {
    throw new NotImplemented("tar");
  }
}
