import { createHash, randomInt } from "node:crypto";
import { gzipSync } from "node:zlib";
import { dockerArchive } from "../oracle/image-archives.js";
import { configOf } from "../oracle/image-stores.js";
import { rawTar } from "../oracle/raw-tar.js";

/** An image to be loaded. */
export interface Loadable {
  readonly layers: readonly Buffer[];
  readonly id: string;
}

/** An image of four layers: files of all sizes, links, a whiteout; the lower two are in every other image too. */
export function loadable(seed: number): Loadable {
  const small = (at: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `${at}/file-${i}`, content: `${at} ${i}\n`.repeat(i * 20) }));
  const layers = [
    rawTar([{ name: "etc/", type: "5" }, ...small("etc", 40), { name: "big", content: noise(0, 2 << 20) }]),
    rawTar(small("usr/share/doc", 60)),
    rawTar([...small(`srv/${seed}`, 30), { name: "link", type: "2", linkname: "etc/file-3" }]),
    rawTar([{ name: "data", content: noise(seed, 300_000) }, { name: "etc/.wh.file-1" }, { name: "srv/.wh..wh..opq" }]),
  ];
  return { layers, id: `sha256:${createHash("sha256").update(configOf(layers)).digest("hex")}` };
}

function noise(seed: number, size: number): Buffer {
  const block = (_: unknown, i: number) => createHash("sha512").update(`${seed} ${i}`).digest();
  return Buffer.concat(Array.from({ length: size / 64 }, block));
}

/** A docker archive of it, one in three compressed. */
export function archiveOf({ layers }: Pick<Loadable, "layers">, name: string): Buffer {
  const archive = dockerArchive([{ layers, tags: [name] }]);
  return randomInt(3) === 0 ? gzipSync(archive, { level: 1 }) : archive;
}

/** A tar for a container, never the same one twice. */
export function newFiles(): Buffer {
  const mark = randomInt(2 ** 40).toString(36);
  const files = Array.from({ length: 10 }, (_, i) => ({ name: `var/${mark}-${i}`, content: mark.repeat(i * 1000) }));
  return rawTar([...files, { name: "etc/file-2", content: mark }]);
}

/** One that chance takes. */
export function oneOf<T>(all: Iterable<T>): T | undefined {
  const list = [...all];
  return list[randomInt(Math.max(1, list.length))];
}
