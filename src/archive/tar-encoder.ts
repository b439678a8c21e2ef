import type { ChangeHead, Meta } from "../overlayfs/index.js";
import { encodeName } from "../spec/index.js";
import { blockSize, checksumOf, paddingOf } from "./tar-header.js";
import { opaqueMarker, whiteoutName } from "./whiteout.js";

/** What a header is made of; names are bytes. */
interface Fields {
  readonly name: Buffer;
  readonly linkname: Buffer;
  readonly type: string;
  /** With type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Since 1970. */
  readonly seconds: bigint;
  readonly major: number;
  readonly minor: number;
  /** `security.capability`. */
  readonly capability: Buffer | undefined;
}

const empty = Buffer.alloc(0);
const noMeta: Meta = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };
const zeroBlocks = Buffer.alloc(2 * blockSize);

/** Type letter of a tar header, and the type bits Docker puts into its mode. */
const types = {
  file: ["0", 0o100000],
  hardlink: ["1", 0o100000],
  symlink: ["2", 0o120000],
  char: ["3", 0o020000],
  block: ["4", 0o060000],
  directory: ["5", 0o040000],
  fifo: ["6", 0o010000],
} as const;

/**
 * Writes changes as Docker's tar writer does, byte for byte as versions that leave out owner names do: ustar where
 * everything fits, PAX records where not, owners by number only, times cut to seconds, of the xattrs
 * `security.capability` alone. For a worker: nothing waits.
 *
 * Not taken over from Docker: the link name that its second and later whiteouts of a layer carry, since only a
 * directory written by the kernel tells it and every reader ignores it.
 *
 * @see docker-data-root.md 9.1, 9.2; Go archive/tar Writer
 */
export class TarEncoder {
  /** All bytes of the entry up to the content of a `file`. */
  head(change: ChangeHead): Buffer {
    return encode(fieldsOf(change));
  }

  /** What follows the content of a file of `size` bytes. */
  padding(size: number): Buffer {
    return zeroBlocks.subarray(0, paddingOf(size));
  }

  /** The two zero blocks at the end. */
  end(): Buffer {
    return zeroBlocks;
  }
}

function fieldsOf(change: ChangeHead): Fields {
  const meta = change.meta ?? noMeta;
  const seconds = floorSeconds(meta.mtimeNs);
  const plain = { uid: meta.uid, gid: meta.gid, linkname: empty, size: 0, major: 0, minor: 0, capability: undefined };
  if (change.kind === "whiteout") {
    return { ...plain, name: encodeName(whiteoutName(change.path)), type: "0", mode: 0o600, seconds };
  }
  if (change.kind === "opaque") {
    return { ...plain, name: encodeName(opaqueMarker(change.path)), type: "0", mode: meta.mode & 0o777, seconds: 0n };
  }
  const [type, typeBits] = types[change.kind];
  return {
    ...plain,
    name: encodeName(nameOf(change)),
    linkname: "target" in change ? encodeName(change.target) : "to" in change ? encodeName(change.to) : empty,
    type,
    mode: typeBits | (meta.mode & 0o7777),
    size: change.kind === "file" ? change.size : 0,
    seconds,
    major: "major" in change ? change.major : 0,
    minor: "minor" in change ? change.minor : 0,
    capability: capabilityOf(meta),
  };
}

function nameOf({ kind, path }: ChangeHead): string {
  if (kind !== "directory") return path;
  if (path === "") return "./";
  return path.endsWith("/") ? path : `${path}/`;
}

/** Rounds down, also before 1970. */
function floorSeconds(ns: bigint): bigint {
  const seconds = ns / 1_000_000_000n;
  return ns < seconds * 1_000_000_000n ? seconds - 1n : seconds;
}

/** Capabilities of the third revision name the user namespace they hold in; Docker writes the second, which does not. */
function capabilityOf(meta: Meta): Buffer | undefined {
  const value = meta.xattrs.get("security.capability");
  if (value === undefined) return undefined;
  const copy = Buffer.from(value);
  if (copy[3] !== 3) return copy;
  copy[3] = 2;
  return copy.subarray(0, 20);
}

function encode(fields: Fields): Buffer {
  const { name } = fields;
  const records = paxRecords(fields);
  const split = splitAt(name);
  const namesNoPax = isASCII(name) && (name.length <= 100 || split > 0);
  const onlyPath = records.length === 0 || (records.length === 1 && records[0]!.key === "path");
  if (namesNoPax && onlyPath) {
    const cut = split > 0;
    return header(
      fields,
      cut ? name.subarray(split + 1) : name,
      cut ? name.subarray(0, split) : empty,
      fields.linkname,
    );
  }
  const data = Buffer.concat(records.map(({ key, value }) => record(key, value)));
  return Buffer.concat([
    rawHeader(paxName(name), data.length),
    data,
    zeroBlocks.subarray(0, paddingOf(data.length)),
    header(fields, toASCII(name), empty, toASCII(fields.linkname)),
  ]);
}

/** What does not fit a ustar header, by key. */
function paxRecords(fields: Fields): { key: string; value: Buffer }[] {
  const records: { key: string; value: Buffer }[] = [];
  const add = (key: string, value: Buffer | number | bigint) =>
    records.push({ key, value: Buffer.isBuffer(value) ? value : Buffer.from(String(value)) });
  const { name, linkname, uid, gid, size, seconds, capability } = fields;
  if (capability) add("SCHILY.xattr.security.capability", capability);
  if (gid > 0o7777777) add("gid", gid);
  if (linkname.length > 100 || !isASCII(linkname)) add("linkpath", linkname);
  if (seconds < 0n || seconds > 0o77777777777n) add("mtime", seconds);
  if (name.length > 100 || !isASCII(name)) add("path", name);
  if (size > 0o77777777777) add("size", size);
  if (uid > 0o7777777) add("uid", uid);
  return records;
}

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
function record(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
}

/** Offset of the slash at which a long name is split into prefix and name; 0 when it cannot be. */
function splitAt(name: Buffer): number {
  if (name.length <= 100 || !isASCII(name)) return 0;
  const end = name.length > 156 ? 156 : name.at(-1) === slash ? name.length - 1 : name.length;
  const at = name.subarray(0, end).lastIndexOf(slash);
  const rest = name.length - at - 1;
  return at > 0 && rest > 0 && rest <= 100 ? at : 0;
}

const slash = 0x2f;

/** Name of the extended header of `name`: `dir/PaxHeaders.0/base`. */
function paxName(name: Buffer): Buffer {
  const from = name[0] === 0x2e && name[1] === slash ? 2 : 0; // "./" goes, as in Go's path.Join
  const at = name.lastIndexOf(slash) + 1;
  const joined = Buffer.concat([name.subarray(from, at), Buffer.from("PaxHeaders.0/"), name.subarray(at)]);
  const cut = toASCII(joined).subarray(0, 100);
  return cut.at(-1) === slash ? cut.subarray(0, -1) : cut;
}

function isASCII(text: Buffer): boolean {
  return text.every((byte) => byte < 0x80);
}

function toASCII(text: Buffer): Buffer {
  return isASCII(text) ? text : Buffer.from(text.filter((byte) => byte < 0x80));
}

function header(fields: Fields, name: Buffer, prefix: Buffer, linkname: Buffer): Buffer {
  const block = Buffer.alloc(blockSize);
  putText(block, 0, 100, name);
  putOctal(block, 100, 8, fields.mode);
  putOctal(block, 108, 8, fields.uid);
  putOctal(block, 116, 8, fields.gid);
  putOctal(block, 124, 12, fields.size);
  putOctal(block, 136, 12, Number(fields.seconds));
  block.write(fields.type, 156, "latin1");
  putText(block, 157, 100, linkname);
  putOctal(block, 329, 8, fields.major);
  putOctal(block, 337, 8, fields.minor);
  putText(block, 345, 155, prefix);
  return seal(block);
}

/** Header of an extended header with `length` bytes of records. */
function rawHeader(name: Buffer, length: number): Buffer {
  const block = Buffer.alloc(blockSize);
  putText(block, 0, 100, name);
  for (const at of [100, 108, 116]) putOctal(block, at, 8, 0);
  putOctal(block, 124, 12, length);
  putOctal(block, 136, 12, 0);
  block.write("x", 156, "latin1");
  return seal(block);
}

/** Magic and checksum. */
function seal(block: Buffer): Buffer {
  block.write("ustar\x0000", 257, "latin1");
  putOctal(block, 148, 7, checksumOf(block, 0));
  block[155] = 0x20;
  return block;
}

/** Cut to the field; a slash that would then end it goes, since some readers took such a file for a directory. */
function putText(block: Buffer, at: number, length: number, text: Buffer): void {
  text.copy(block, at, 0, length);
  if (text.length > length && block[at + length - 1] === slash) block[at + length - 1] = 0;
}

/** Zero-padded and ended by NUL; 0 when it does not fit, and a PAX record has it. */
function putOctal(block: Buffer, at: number, length: number, value: number): void {
  const fits = value >= 0 && value < 8 ** (length - 1);
  block.write((fits ? value : 0).toString(8).padStart(length - 1, "0"), at, "latin1");
}
