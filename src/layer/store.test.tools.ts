import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Driver, driverNames, openDriver } from "../driver/index.js";
import { messageOf } from "../spec/index.js";
import { LayerStore } from "./layer-store.js";

const place = fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A data root in which tests can do as they like. */
export class TestRoot implements AsyncDisposable {
  readonly path: string;
  readonly driverName: string;
  /** What was reported at the last opening and since. */
  reports: string[] = [];
  #open: Driver[] = [];

  static async make(driverName: string): Promise<TestRoot> {
    return new TestRoot(await mkdtemp(join(place, "layers-")), driverName);
  }

  /** @param path a directory; disposing removes it */
  static at(path: string, driverName: string): TestRoot {
    return new TestRoot(path, driverName);
  }

  private constructor(path: string, driverName: string) {
    this.path = path;
    this.driverName = driverName;
  }

  /** Opens the store, as the next process would: of one opened before nothing is known. */
  async open({ writable = true, driver: given }: { readonly writable?: boolean; readonly driver?: Driver } = {}) {
    const driver = given ?? (await openDriver(this.driverName, this.path));
    this.reports = [];
    const report = (line: string) => void this.reports.push(line);
    const store = await LayerStore.open({ root: this.image, driver, writable, report });
    this.#open.push(driver);
    return store;
  }

  get image(): string {
    return join(this.path, "image", this.driverName);
  }

  get layerdb(): string {
    return join(this.image, "layerdb");
  }

  /** Home of the driver's directories. */
  get home(): string {
    return join(this.path, this.driverName);
  }

  /** A driver on this root, for tests that make what a crash leaves. */
  get driver(): Driver {
    const last = this.#open.at(-1);
    if (!last) throw new Error("nothing is open");
    return last;
  }

  /** Names of everything that a layer, whole or half, consists of: directories, links, entries, write sets. */
  inventory(): string[] {
    const below = (dir: string) => (fs.existsSync(dir) ? fs.readdirSync(dir).map((name) => join(dir, name)) : []);
    const home =
      this.driverName === "vfs" ? below(join(this.home, "dir")) : [...below(this.home), ...below(join(this.home, "l"))];
    const db = ["sha256", "mounts", "tmp"].flatMap((name) => below(join(this.layerdb, name)));
    return [...home, ...db].map((path) => path.slice(this.path.length + 1)).sort();
  }

  /** Closes what is open, as a process that ends well. */
  async closeAll(): Promise<void> {
    for (const driver of this.#open.splice(0).reverse()) await driver.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAll();
    await rm(this.path, { recursive: true, force: true });
  }
}

/** A driver that removes nothing. */
export function unremoving(driver: Driver): Driver {
  const remove = () => Promise.reject(new Error("device busy"));
  const get = (target: Driver, key: keyof Driver) => {
    const member = key === "remove" ? remove : target[key];
    return typeof member === "function" ? member.bind(target as never) : member;
  };
  return new Proxy(driver, { get: (target, key) => get(target, key as keyof Driver) });
}

/** Why a driver cannot be tested here; undefined when it can. */
async function lacking(name: string): Promise<string | undefined> {
  await using root = await TestRoot.make(name);
  try {
    await root.open();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The drivers that work here. */
export const drivers: string[] = [];
for (const name of driverNames) {
  const why = await lacking(name);
  if (why === undefined) drivers.push(name);
  else console.log(`layer tests skip driver ${name}: ${why}`);
}

/** One member of an archive made by `tarBytes`: what is left out is as in a plain file. */
export interface Member {
  readonly name: string;
  readonly type?: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
  readonly linkname?: string;
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
  /** PAX records in a header of their own. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
}

/** A ustar archive, byte for byte as said: also one that no program would write. */
export function tarBytes(members: readonly Member[], end = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.flatMap(memberBytes), end]);
}

function memberBytes(member: Member): Buffer[] {
  const content = Buffer.from(member.content ?? "");
  const own = [header(member, content.length), content, padding(content.length)];
  if (!member.pax) return own;
  const records = Buffer.concat(Object.entries(member.pax).map(paxRecord));
  return [header({ name: "PaxHeaders.0/x", type: "x" }, records.length), records, padding(records.length), ...own];
}

function header({ name, type = "0", mode = 0o644, linkname = "", size, major = 0, minor = 0 }: Member, length: number) {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  block.write(name, 0, 100, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size ?? length, 124, 12);
  octal(1_600_000_000, 136, 12);
  block.write(type, 156, "latin1");
  block.write(linkname, 157, 100, "utf8");
  block.write("ustar\x0000", 257, "latin1");
  octal(major, 329, 8);
  octal(minor, 337, 8);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padding(length: number): Buffer {
  return Buffer.alloc((512 - (length % 512)) % 512);
}

function paxRecord([key, value]: [string, string | Buffer]): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

export const file = (name: string, content = "", mode = 0o644): Member => ({ name, content, mode });
export const directory = (name: string, mode = 0o755): Member => ({ name: `${name}/`, type: "5", mode });

export async function* streamOf(bytes: Uint8Array, pieceLength = 65536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceLength) yield bytes.subarray(at, at + pieceLength);
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

export const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A real tree of `count` entries, packed by the system's tar. */
export function packedTree(count: number): Buffer {
  const dir = fs.mkdtempSync(join(place, "tree-"));
  try {
    for (let index = 0; index < count; index++) {
      const parent = join(dir, `directory-${Math.floor(index / 100)}`);
      if (index % 100 === 0) fs.mkdirSync(parent);
      if (index % 10 === 9) fs.symlinkSync(`file-${index - 1}`, join(parent, `link-${index}`));
      else fs.writeFileSync(join(parent, `file-${index}`), `content of ${index}\n`.repeat(index % 50));
    }
    return execFileSync("tar", ["-C", dir, "--sort=name", "-cf", "-", "."], { maxBuffer: 1 << 30 });
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
