import { cleanPath, InvalidParameter, type Path } from "../spec/index.js";
import type { TarKind, TarMember } from "./tar-member.js";
import { TarParser } from "./tar-parser.js";

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

const maxMembers = 100_000;
/** Characters of all names and link targets. */
const maxNames = 1 << 25;
/** As Linux. */
const maxLinks = 40;

/**
 * Reads through a plain (uncompressed) archive once and says where everything is: the reader keeps the bytes (in a
 * spooled file, or the archive is a file already) and fetches what it wants.
 *
 * @throws InvalidParameter: not a tar archive, a damaged one, or more than 100,000 members
 */
export async function indexTar(bytes: AsyncIterable<Uint8Array>): Promise<TarIndex> {
  const indexer = new TarIndexer();
  for await (const chunk of bytes) indexer.write(chunk);
  return indexer.end();
}

/** The same for an archive that is pushed in pieces, so that it can be spooled at the same time. */
export class TarIndexer {
  readonly #entries = new Map<Path, TarIndexEntry>();
  readonly #tar = new TarParser({ member: (member) => this.#member(member), data: () => {} });
  #members = 0;
  #names = 0;

  /** @throws InvalidParameter: as `indexTar` */
  write(chunk: Uint8Array): void {
    this.#tar.write(chunk);
  }

  /** The archive has ended. @throws InvalidParameter: in the middle of something */
  end(): TarIndex {
    this.#tar.end();
    const entries = this.#entries;
    return { entries, file: (path) => fileAt(entries, path) };
  }

  #member({ kind, name, linkname, offset, size }: TarMember): void {
    const path = cleanPath(name);
    this.#names += name.length + linkname.length;
    if (++this.#members > maxMembers || this.#names > maxNames) {
      throw new InvalidParameter(`archive has more than ${maxMembers} entries, or names too long to be an image`);
    }
    this.#entries.set(path, { kind, path, linkname, offset, size });
  }
}

function fileAt(entries: ReadonlyMap<Path, TarIndexEntry>, path: string): TarIndexEntry | undefined {
  const done: string[] = [];
  const todo = path.split("/").reverse();
  let links = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      done.pop();
      continue;
    }
    done.push(name);
    const entry = entries.get(done.join("/"));
    if (entry?.kind !== "symlink" && entry?.kind !== "hardlink") continue;
    if (++links > maxLinks) return undefined;
    done.pop();
    if (entry.kind === "hardlink" || entry.linkname.startsWith("/")) done.length = 0;
    todo.push(...entry.linkname.split("/").reverse());
  }
  const entry = entries.get(done.join("/"));
  return entry?.kind === "file" ? entry : undefined;
}
