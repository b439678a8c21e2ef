import { NotImplemented, type Path } from "../spec/index.js";
import type { TarKind } from "./tar-member.js";

/** Where a member of an archive lies in it. */
export interface TarIndexEntry {
  readonly kind: TarKind;
  /** Clean. */
  readonly path: Path;
  /** Target of a symlink or hard link, not cleaned. */
  readonly linkname: string;
  /** Content: `size` bytes from byte `offset` of the uncompressed archive on. */
  readonly offset: number;
  readonly size: number;
}

/** The members of an archive by clean path; of two with one path the later. */
export interface TarIndex {
  readonly entries: ReadonlyMap<Path, TarIndexEntry>;
  /**
   * The file that `path` names after following symlinks and hard links inside the archive, whose root they cannot
   * leave; undefined when there is none.
   */
  file(path: string): TarIndexEntry | undefined;
}

/**
 * Reads through a plain archive once and says where everything is: the reader keeps the bytes (in a spooled file, or
 * the archive is a file already) and fetches what it wants.
 *
 * @throws InvalidParameter: not a tar archive, a damaged one, or more than 100,000 members
 */
export async function indexTar(bytes: AsyncIterable<Uint8Array>): Promise<TarIndex> {
  throw new NotImplemented(`tar ${bytes}`);
}
