import type { ChangeHead, ChangeSink } from "../overlayfs/index.js";
import { cleanPath, climbs, encodeName, type Path } from "../spec/index.js";
import { badEntry, shown } from "./bad-entry.js";
import { Seen } from "./seen.js";
import type { TarMember, TarSink } from "./tar-member.js";
import { TarParser } from "./tar-parser.js";
import type { TarSplitWriter } from "./tar-split-writer.js";
import { spelledBy } from "./whiteout.js";

export interface LayerParserOptions {
  /** Also records how to rebuild the archive; the caller ends it. */
  readonly split?: TarSplitWriter;
}

/** Linux's limits, in bytes: NAME_MAX, PATH_MAX less its NUL, XATTR_NAME_MAX, XATTR_SIZE_MAX; bits of a device. */
const limits = { name: 255, path: 4095, xattrName: 255, xattrValue: 65536, major: 0xfff, minor: 0xfffff };
const maxEntries = 10_000_000;

/**
 * Reads a layer's tar archive, pushed in pieces of any size, into changes: `.wh.` names become whiteouts and opaque
 * markers, names and hard link targets clean paths. A root entry (`./`, `/`) is a `directory` change with path `""`.
 * The bytes given to `sink.data` may be used only until it returns.
 *
 * What cannot be saved again is refused, also where dockerd takes it: `..` in names and hard link targets, two
 * entries of one name, whiteouts with content, sparse files. So are overlay's own xattrs, device 0:0, entries inside
 * directories named `.wh.…`, aufs's own files (`.wh..wh.…`), and names that no kernel takes (255 bytes a name, 4095 a
 * path). At most 10,000,000 entries: the names seen take up to 30 bytes each.
 */
export class LayerParser {
  readonly #sink: ChangeSink;
  readonly #tar: TarParser;
  readonly #split: TarSplitWriter | undefined;
  readonly #seen = new Seen();

  constructor(sink: ChangeSink, options: LayerParserOptions = {}) {
    const split = options.split;
    this.#sink = sink;
    this.#split = split;
    const tar: TarSink = {
      member: (member) => this.#member(member),
      data: split
        ? (chunk) => {
            split.data(chunk);
            sink.data(chunk);
          }
        : (chunk) => sink.data(chunk),
    };
    if (split) tar.raw = (bytes, start, end) => split.raw(bytes, start, end);
    this.#tar = new TarParser(tar);
  }

  /** @throws InvalidParameter: one line that names the entry; the parser is not used afterwards */
  write(chunk: Uint8Array): void {
    this.#tar.write(chunk);
  }

  /** The archive has ended. @throws InvalidParameter: in the middle of something */
  end(): void {
    this.#tar.end();
  }

  #member(member: TarMember): void {
    const { name, meta } = member;
    const path = cleanPath(name);
    const why = nameProblem(name, path) ?? xattrProblem(meta.xattrs);
    if (why) throw badEntry(name, why);
    if (this.#seen.size >= maxEntries) throw badEntry(name, `more than ${maxEntries} entries in one layer`);
    if (!this.#seen.add(path)) throw badEntry(name, "duplicates of file paths not supported");
    this.#split?.member(member);
    this.#sink.change(changeOf(member, path));
  }
}

function changeOf(member: TarMember, path: Path): ChangeHead {
  const { kind, name, meta, size } = member;
  const spelled = spelledBy(path);
  if (spelled?.kind === "invalid") throw badEntry(name, spelled.why);
  if (spelled) {
    if (size > 0) throw badEntry(name, `whiteout with ${size} bytes of content`);
    return { kind: spelled.kind, path: spelled.path, meta };
  }
  if (path === "" && kind !== "directory") throw badEntry(name, `the layer's root as a ${kind}`);
  switch (kind) {
    case "file":
      return { kind, path, meta, size };
    case "directory":
    case "fifo":
      return { kind, path, meta };
    case "symlink":
      return { kind, path, meta, target: symlinkTarget(member) };
    case "hardlink":
      return { kind, path, meta, to: linkTarget(member, path) };
    default:
      return { kind, path, meta, ...deviceNumbers(member) };
  }
}

function nameProblem(name: string, path: Path): string | undefined {
  if (name === "") return "it has no name";
  if (climbs(name)) return 'its name has ".." in it';
  if (path.length <= limits.name / 3) return undefined;
  if (lengthOf(path) > limits.path) return `its name is longer than ${limits.path} bytes`;
  for (const part of path.split("/")) {
    if (lengthOf(part) > limits.name) return `a name in its path is longer than ${limits.name} bytes`;
  }
}

/** In bytes; text of n units has n to 3n of them. */
function lengthOf(name: string): number {
  return name.length <= limits.name / 3 ? name.length : encodeName(name).length;
}

function xattrProblem(xattrs: ReadonlyMap<string, Uint8Array>): string | undefined {
  for (const [name, value] of xattrs) {
    if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) {
      return `xattr ${shown(name)} is overlay's own: a layer may not set it`;
    }
    if (lengthOf(name) > limits.xattrName) return `the name of an xattr is longer than ${limits.xattrName} bytes`;
    if (value.length > limits.xattrValue) return `an xattr is longer than ${limits.xattrValue} bytes`;
  }
}

function symlinkTarget({ name, linkname }: TarMember): string {
  if (linkname === "") throw badEntry(name, "symlink without a target");
  if (lengthOf(linkname) > limits.path) throw badEntry(name, `symlink target longer than ${limits.path} bytes`);
  return linkname;
}

function linkTarget({ name, linkname }: TarMember, path: Path): Path {
  const to = cleanPath(linkname);
  const why = nameProblem(linkname, to);
  if (why) throw badEntry(name, `hard link to ${shown(linkname)}: ${why}`);
  if (to === "") throw badEntry(name, "hard link to the layer's root");
  if (to === path) throw badEntry(name, "hard link to itself");
  if (spelledBy(to)) throw badEntry(name, `hard link to the whiteout ${shown(linkname)}`);
  return to;
}

function deviceNumbers({ kind, name, major, minor }: TarMember): { major: number; minor: number } {
  if (kind === "char" && major === 0 && minor === 0)
    throw badEntry(name, "character device 0:0 is overlay's own whiteout");
  if (major > limits.major || minor > limits.minor) throw badEntry(name, `no such device number: ${major}:${minor}`);
  return { major, minor };
}
