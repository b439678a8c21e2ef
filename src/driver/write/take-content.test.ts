import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { loopDisk, type Scratch, scratch } from "../../../test/oracle/scratch.js";
import { readDiff } from "../read/read-diff.js";
import { openWriter } from "./open-writer.js";

const skip = lacking("root", "mounts", "loop", "mkfs.xfs");
const places = { "xfs, which shares blocks": () => loopDisk("xfs", "400M"), "tmpfs, which does not": inMemory };

describe.skipIf(skip).each(Object.entries(places))("content taken on %s", (where, place) => {
  let disk: Scratch;
  let count = 0;

  beforeAll(async () => {
    disk = await place();
    return () => disk[Symbol.asyncDispose]();
  });

  /** A directory to read, one to fill. */
  function fresh(): { from: string; to: string } {
    const base = join(disk.path, String(count++));
    for (const name of ["from", "to"]) fs.mkdirSync(join(base, name), { recursive: true });
    return { from: join(base, "from"), to: join(base, "to") };
  }

  test.for([0, 1, 4096, 1_000_000, (1 << 20) + 1, 5_000_001])("%i bytes are all there, and all told", (size) => {
    const { from, to } = fresh();
    fs.writeFileSync(join(from, "f"), Buffer.alloc(size, "some text "));
    expect(taken(from, to).equals(fs.readFileSync(join(from, "f")))).toBe(true);
    expect(fs.readFileSync(join(to, "f")).equals(fs.readFileSync(join(from, "f")))).toBe(true);
  });

  test("its blocks are the original's, where that can be", async () => {
    const { from, to } = fresh();
    fs.writeFileSync(join(from, "f"), Buffer.alloc(1 << 20, 7));
    taken(from, to);
    const blocks = where.startsWith("xfs") ? await output("filefrag", ["-v", join(to, "f")]) : "";
    expect(/shared/.test(blocks)).toBe(where.startsWith("xfs"));
  });

  test("a file that has grown since the walk came to it has the length it had then", () => {
    const { from, to } = fresh();
    fs.writeFileSync(join(from, "f"), "before");
    const content = taken(from, to, () => fs.appendFileSync(join(from, "f"), ", and after"));
    expect([content.toString(), fs.readFileSync(join(to, "f"), "utf8")]).toEqual(["before", "before"]);
  });

  test("one that has got shorter is refused", () => {
    const { from, to } = fresh();
    fs.writeFileSync(join(from, "f"), "before");
    const cut = () => fs.truncateSync(join(from, "f"), 3);
    expect(() => taken(from, to, cut)).toThrow(/changed while it was read, from 6 bytes to 3/);
  });

  test.skipIf(lacking("python3"))("what is told is what the layer has, while others write and map it", async () => {
    const { from, to } = fresh();
    const file = join(from, "f");
    fs.writeFileSync(file, Buffer.alloc(600_000));
    const writers = await Promise.all([scribble, scribbleMapped].map((code) => started(code, file)));
    try {
      for (let round = 0; round < 100; round++) {
        fs.rmSync(join(to, "f"), { force: true });
        const told = taken(from, to);
        expect(fs.readFileSync(join(to, "f")).equals(told)).toBe(true);
      }
    } finally {
      for (const writer of writers) writer.kill("SIGKILL");
    }
  });
});

/** Everything that was told of the one file in `from`. @param meanwhile done when the walk has come to it */
function taken(from: string, to: string, meanwhile = () => {}): Buffer {
  const common = { base: "", whiteouts: "overlay", xattrPrefix: "trusted.overlay.", impliedMode: 0o755 } as const;
  using writer = openWriter({ root: to, ...common, rootMeta: false, lenient: false });
  const told: Buffer[] = [];
  for (const change of readDiff({ kind: "upper", root: from, xattrPrefix: "trusted.overlay." })) {
    writer.change(change);
    meanwhile();
    if (change.kind === "file") for (const piece of writer.take(change.body)) told.push(Buffer.from(piece));
  }
  writer.finish();
  return Buffer.concat(told);
}

async function inMemory(): Promise<Scratch> {
  return scratch("/dev/shm");
}

// Both pause now and then for longer than the clock of a file system ticks.
const loop = `
print("begun", flush=True)
while True:
  for _ in range(random.randrange(400)): write(random.randrange(600000), random.randbytes(1))
  time.sleep(random.choice([0, 0, 0.08]))
`;
const scribble = `
import os, random, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY)
def write(at, byte): os.pwrite(fd, byte, at)
${loop}`;
const scribbleMapped = `
import mmap, random, sys, time
file = open(sys.argv[1], "r+b")
view = mmap.mmap(file.fileno(), 0)
def write(at, byte): view[at:at + 1] = byte
${loop}`;

async function started(code: string, file: string): Promise<ChildProcess> {
  const child = spawn("python3", ["-c", code, file], { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
  return child;
}
