import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { Layerkitd } from "../oracle/layerkitd.js";
import { pingsUntil } from "../oracle/pings.js";
import { rawTar } from "../oracle/raw-tar.js";
import { scratch } from "../oracle/scratch.js";

/** Loads layers that no memory holds, and tells how much the daemon took and how soon it answered others meanwhile. */
export async function loadLarge(directory?: string): Promise<void> {
  await using place = await scratch(directory);
  for (const [name, layer] of Object.entries(layers)) {
    const archive = join(place.path, "large.tar");
    await pack(archive, layer);
    await using daemon = await Layerkitd.start(join(place.path, "root"));
    const idle = await peakOf(daemon.pid);
    const start = performance.now();
    const answered = await pingsUntil(daemon.socket, daemon.docker("load", "-q", "-i", archive));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const peak = await peakOf(daemon.pid);
    console.log(`${name}: ${seconds} s, peak RSS ${mega(peak)} MB (idle ${mega(idle)} MB)`);
    console.log(`  _ping meanwhile: median ${answered.median} ms, worst ${answered.worst} ms of ${answered.count}`);
    await daemon.docker("rmi", "large:1");
  }
}

const layers: Readonly<Record<string, () => Generator<Buffer>>> = {
  "a layer of 10 GB": tenGigabytes,
  "a million entries": million,
};

const mebibyte = 1 << 20;

function* tenGigabytes(): Generator<Buffer> {
  const size = 10 * 1024 * mebibyte;
  const chunk = Buffer.alloc(mebibyte, "layerkit ");
  yield rawTar([{ name: "large", pax: { size: String(size) } }], 0);
  for (let done = 0; done < size; done += chunk.length) yield chunk;
  yield Buffer.alloc(1024);
}

function* million(): Generator<Buffer> {
  for (let i = 0; i < 1_000_000; i++) yield rawTar([{ name: `${i % 1000}/${i}`, content: "x" }], 0);
  yield Buffer.alloc(1024);
}

/** A docker archive with the layer compressed; the layer itself is never whole anywhere. */
async function pack(archive: string, layer: () => Generator<Buffer>): Promise<void> {
  const packed = `${archive}.gz`;
  await pipeline(Readable.from(layer()), createGzip({ level: 1 }), createWriteStream(packed));
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(packed).pipe(createGunzip())) hash.update(chunk as Buffer);
  const rootfs = { type: "layers", diff_ids: [`sha256:${hash.digest("hex")}`] };
  const manifest = [{ Config: "config.json", RepoTags: ["large:1"], Layers: ["layer.tar"] }];
  const members = [
    { name: "manifest.json", content: JSON.stringify(manifest) },
    { name: "config.json", content: JSON.stringify({ os: "linux", architecture: "amd64", rootfs }) },
    { name: "layer.tar", content: await readFile(packed) },
  ];
  await pipeline(Readable.from([rawTar(members)]), createWriteStream(archive));
}

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

function mega(bytes: number): number {
  return Math.round(bytes / 1e6);
}
