/** A tar entry of any kind, also of those that no tar program would write. */
export interface RawEntry {
  readonly name: string | Buffer;
  /** `0` file, `1` hard link, `2` symlink, `3` char, `4` block, `5` directory, `6` fifo. */
  readonly type?: string;
  readonly content?: string | Buffer;
  /** What the header claims instead of the content's length. */
  readonly size?: number;
  readonly linkname?: string;
  readonly mode?: number;
  readonly device?: readonly [major: number, minor: number];
  /** PAX records put in front. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Changes the finished header, before its checksum is computed. */
  readonly header?: (header: Buffer) => void;
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

/** @param ending how many zero blocks end it */
export function rawTar(entries: readonly RawEntry[], ending = 2): Buffer {
  return Buffer.concat([...entries.flatMap(rawEntry), Buffer.alloc(ending * 512)]);
}

function rawEntry(entry: RawEntry): Buffer[] {
  const { pax, content = "" } = entry;
  const body = Buffer.from(content);
  const own = [rawHeader(entry, entry.size ?? body.length), padded(body)];
  if (pax === undefined) return own;
  const records = Object.entries(pax).map(([key, value]) => paxRecord(key, value));
  return [...rawEntry({ name: "PaxHeaders/x", type: "x", content: Buffer.concat(records) }), ...own];
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** @see POSIX pax, "ustar Interchange Format" */
function rawHeader(entry: RawEntry, size: number): Buffer {
  const { name, type = "0", linkname = "", mode = 0o755, device = [0, 0] } = entry;
  const header = Buffer.alloc(512);
  Buffer.from(name).copy(header, 0, 0, 100);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, length, "latin1");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(1_700_000_000, 136, 12);
  header.write(type, 156, "latin1");
  header.write(linkname, 157, 100);
  header.write("ustar\0" + "00", 257, "latin1");
  octal(device[0], 329, 8);
  octal(device[1], 337, 8);
  entry.header?.(header);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, entry.checksumError ?? 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
