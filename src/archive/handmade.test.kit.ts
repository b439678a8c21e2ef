/** Archives made by hand, for tests: what no tar program writes. (Named so that it is neither run nor shipped.) */
import type { ChangeHead } from "../overlayfs/index.js";
import { cleanPath, encodeName } from "../spec/index.js";
import { assembleSync } from "./assemble.js";
import { LayerParser } from "./layer-parser.js";
import { paddingOf } from "./tar-header.js";
import type { TarMember } from "./tar-member.js";
import { TarParser } from "./tar-parser.js";
import { tarSplitRecordsSync } from "./tar-split-reader.js";
import { TarSplitWriter } from "./tar-split-writer.js";

export interface Handmade {
  readonly name?: string;
  readonly type?: string;
  readonly body?: Uint8Array | string;
  /** In the header, if it is not the body's. */
  readonly size?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly linkname?: string;
  readonly magic?: "ustar\x0000" | "ustar  \0" | "";
  readonly prefix?: string;
  readonly major?: number;
  readonly minor?: number;
  /** Changes the header before its checksum is made. */
  readonly patch?: (block: Buffer) => void;
  readonly checksum?: "unsigned" | "signed" | "wrong";
  /** Byte that the content is padded with. */
  readonly padding?: number;
}

/** One header with its content. */
export function entry(of: Handmade = {}): Buffer {
  const body = Buffer.from(of.body ?? "");
  const block = Buffer.alloc(512);
  encodeName(of.name ?? "file").copy(block, 0, 0, 100);
  octal(block, 100, 8, of.mode ?? 0o644);
  octal(block, 108, 8, of.uid ?? 0);
  octal(block, 116, 8, of.gid ?? 0);
  octal(block, 124, 12, of.size ?? body.length);
  octal(block, 136, 12, of.mtime ?? 1_700_000_000);
  block.write(of.type ?? "0", 156, "latin1");
  encodeName(of.linkname ?? "").copy(block, 157, 0, 100);
  const magic = of.magic ?? "ustar\x0000";
  block.write(magic, 257, "latin1");
  if (magic !== "") {
    octal(block, 329, 8, of.major ?? 0);
    octal(block, 337, 8, of.minor ?? 0);
  }
  encodeName(of.prefix ?? "").copy(block, 345, 0, 155);
  of.patch?.(block);
  seal(block, of.checksum ?? "unsigned");
  return Buffer.concat([block, body, Buffer.alloc(paddingOf(body.length), of.padding ?? 0)]);
}

function octal(block: Buffer, at: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
}

function seal(block: Buffer, how: "unsigned" | "signed" | "wrong"): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += how === "signed" && byte > 127 ? byte - 256 : byte;
  octal(block, 148, 7, how === "wrong" ? sum + 1 : sum);
}

/** A number field in base-256. */
export function base256(block: Buffer, at: number, length: number, value: bigint): void {
  for (let i = length - 1; i >= 0; i--, value >>= 8n) block[at + i] = Number(value & 0xffn);
  block[at]! |= 0x80;
}

/** An extended header of these records. */
export function pax(records: readonly (readonly [key: string, value: string | Uint8Array])[], type = "x"): Buffer {
  const body = records.map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
    let length = rest.length;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    return Buffer.concat([Buffer.from(String(length)), rest]);
  });
  return entry({ name: "PaxHeaders/x", type, body: Buffer.concat(body) });
}

/** A GNU long name (`L`) or link target (`K`). */
export function long(type: "L" | "K", text: string): Buffer {
  return entry({
    name: "././@LongLink",
    type,
    body: Buffer.concat([encodeName(text), Buffer.alloc(1)]),
    magic: "ustar  \0",
  });
}

export const end = Buffer.alloc(1024);

export function archive(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, end]);
}

/** `bytes` in pieces of `length`, each in memory of its own. */
export function* cut(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield Uint8Array.from(bytes.subarray(at, at + length));
}

export async function* streamed(bytes: Uint8Array, length = 1 << 16): AsyncGenerator<Uint8Array> {
  yield* cut(bytes, length);
}

export interface Parsed {
  readonly members: TarMember[];
  readonly contents: Buffer[];
  /** Everything the sink was given, in order. */
  readonly all: Buffer;
}

/** What a `TarParser` makes of an archive pushed in pieces of `length`. Pieces are wiped after each push. */
export function parse(bytes: Uint8Array, length = bytes.length || 1): Parsed {
  const members: TarMember[] = [];
  const contents: Buffer[] = [];
  const all: Buffer[] = [];
  const parser = new TarParser({
    member(member) {
      members.push(member);
      contents.push(Buffer.alloc(0));
    },
    data(chunk) {
      contents.push(Buffer.concat([contents.pop()!, chunk]));
      all.push(Buffer.from(chunk));
    },
    raw: (chunk, from, to) => all.push(Buffer.from(chunk.subarray(from, to))),
  });
  for (const piece of cut(bytes, length)) {
    parser.write(piece);
    piece.fill(0xee);
  }
  parser.end();
  return { members, contents, all: Buffer.concat(all) };
}

export interface ParsedLayer {
  readonly changes: ChangeHead[];
  /** Of files, by path. */
  readonly contents: Map<string, Buffer>;
  /** Uncompressed. */
  readonly split: Buffer;
}

/** What a `LayerParser` makes of an archive pushed in pieces of `length`. */
export function parseLayer(bytes: Uint8Array, length = bytes.length || 1): ParsedLayer {
  const changes: ChangeHead[] = [];
  const contents = new Map<string, Buffer>();
  const lines: Uint8Array[] = [];
  const split = new TarSplitWriter((chunk) => lines.push(chunk));
  const change = (head: ChangeHead) => {
    changes.push(head);
    if (head.kind === "file") contents.set(head.path, Buffer.alloc(0));
  };
  const data = (chunk: Uint8Array) => {
    const { path } = changes.at(-1)!;
    contents.set(path, Buffer.concat([contents.get(path)!, chunk]));
  };
  const parser = new LayerParser({ change, data }, { split });
  for (const piece of cut(bytes, length)) {
    parser.write(piece);
    piece.fill(0xee);
  }
  parser.end();
  split.end();
  return { changes, contents, split: Buffer.concat(lines) };
}

/** The archive that a parsed layer's tar-split and files give. */
export function reassemble({ split, contents }: ParsedLayer): Buffer {
  return Buffer.concat(
    Array.from(
      assembleSync(tarSplitRecordsSync([split]), (path) => [contents.get(cleanPath(path))!]),
      (piece) => Buffer.from(piece),
    ),
  );
}
