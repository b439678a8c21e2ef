import { blockSize, checksumOf, paddingOf } from "./tar-header.js";

/** What a header is made of; names are bytes. */
export interface Fields {
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
  /** Names of the owners; of 32 ASCII characters at most. */
  readonly user?: string | undefined;
  readonly group?: string | undefined;
}

const empty = Buffer.alloc(0);

/** A header, with an extended header before it where it needs one: the bytes that Go's archive/tar writes. */
export function encode(fields: Fields): Buffer {
  const { name, linkname } = fields;
  const records = paxRecords(fields);
  if (records.length === 0) return header(fields, name, empty, linkname);
  const split = splitAt(name);
  const isOnlyName = records.length === 1 && records[0]!.key === "path";
  if (isOnlyName && split > 0) return header(fields, name.subarray(split + 1), name.subarray(0, split), linkname);
  const data = Buffer.concat(records.map(({ key, value }) => record(key, value)));
  return Buffer.concat([
    rawHeader(paxName(name), data.length),
    data,
    Buffer.alloc(paddingOf(data.length)),
    header(fields, toASCII(name), empty, toASCII(linkname)),
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
  for (let i = 0; i < text.length; i++) if (text[i]! >= 0x80) return false;
  return true;
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
  block[156] = fields.type.charCodeAt(0);
  putText(block, 157, 100, linkname);
  putText(block, 265, 32, Buffer.from(fields.user ?? ""));
  putText(block, 297, 32, Buffer.from(fields.group ?? ""));
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
  let rest = value >= 0 && value < 8 ** (length - 1) ? value : 0;
  for (let i = at + length - 2; i >= at; i--) {
    const digit = rest % 8;
    block[i] = 0x30 + digit;
    rest = (rest - digit) / 8;
  }
}
