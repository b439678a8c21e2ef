import { lacking } from "../../test/oracle/programs.js";
import { rawTar } from "../../test/oracle/raw-tar.js";
import { collected, streamOf } from "../../test/oracle/sample-image.js";
import { type Scratch, scratch } from "../../test/oracle/scratch.js";
import { Engine, type EngineOptions } from "./engine.js";

/** The drivers to test on, with the reason why one cannot be. */
export const drivers = [
  { driver: "vfs", skip: lacking("root") },
  { driver: "overlay2", skip: lacking("root", "mounts") },
];

/** A root file system of a few files, one of them below a place for a volume. */
export const rootfs = rawTar([
  { name: "etc/", type: "5" },
  { name: "etc/passwd", content: "root:x:0:0:root:/:/bin/sh\nbob:x:1000:1001::/:/bin/sh\n", mode: 0o644 },
  { name: "etc/group", content: "root:x:0:\nstaff:x:50:\n", mode: 0o644 },
  { name: "data/", type: "5", mode: 0o750 },
  { name: "data/f", content: "from the image\n", mode: 0o644 },
  { name: "old", content: "old\n" },
  { name: "dir/", type: "5" },
  { name: "dir/sub/", type: "5" },
  { name: "dir/sub/file", content: "deep\n" },
  { name: "to-dir", type: "2", linkname: "dir" },
  { name: "out", type: "2", linkname: "../../../etc" },
]);

export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly root: string;
  /** What was reported at opening. */
  readonly reports: string[];
}

/** An engine on a root of its own, with image `base:1` (command `sh`) in it. */
export async function testEngine(driver: string, options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const directory = await scratch("/dev/shm");
  const reports: string[] = [];
  const report = (line: string) => reports.push(line);
  const engine = await Engine.open({ root: `${directory.path}/root`, driver, report, ...options });
  await imported(engine, rootfs, "base:1", ['CMD ["sh"]']);
  return { engine, root: engine.root, reports, [Symbol.asyncDispose]: () => closed(engine, directory) };
}

async function closed(engine: Engine, directory: Scratch): Promise<void> {
  await engine[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
}

/** @returns the image's id */
export async function imported(engine: Engine, tar: Uint8Array, name: string, changes: string[] = []): Promise<string> {
  const [repo = "", tag = ""] = name.split(":");
  const messages = await collected(engine.images.import(streamOf(tar), { repo, tag, changes }));
  return messages.at(-1)?.status ?? "";
}

/** All of a stream. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collected(stream));
}
