import { createReadStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Dockerd } from "../test/oracle/dockerd.js";
import { call } from "../test/oracle/engine-call.js";
import { rawImage } from "../test/oracle/raw-image.js";
import { rawTar } from "../test/oracle/raw-tar.js";
import { tarOfFiles } from "./tar-of-files.js";

/** Images, of as many layers of their own each, on one of so many stacks of as many layers: 200 layers in all. */
const images = { count: 24, own: 8, stacks: 2, shared: 4 };
/** Containers, and how many files each has written, as after an `apt-get install` or a build: 56,000 files in all. */
const containers = [
  { count: 20, files: 300 },
  { count: 20, files: 1000 },
  { count: 10, files: 3000 },
];
/** As old as a root is that somebody asks about: what has been written is on disk. */
const restMs = 70_000;

/** A data root with 200 layers and 50 stopped containers, written by dockerd; others open it later. */
export class CrowdedRoot {
  readonly path: string;
  readonly #scratch: string;
  /** What `layerkit df` remembers of it, as `XDG_CACHE_HOME`. */
  readonly cache: string;
  #built: Promise<number> | undefined;

  /** @param path where it is made @param scratch for files that are needed to make it */
  constructor(path: string, scratch: string) {
    this.path = path;
    this.#scratch = scratch;
    this.cache = join(scratch, "cache");
  }

  /** Resolves when it is there and has rested. */
  async ready(): Promise<void> {
    this.#built ??= this.#build();
    await delay(Math.max(0, (await this.#built) + restMs - performance.now()));
  }

  /** @returns when it was done, as `performance.now()` */
  async #build(): Promise<number> {
    await using dockerd = await Dockerd.start(this.path);
    for (let image = 0; image < images.count; image++) {
      const { status, stderr } = await dockerd.tryDocker(["load", "--quiet"], { input: imageOf(image) });
      if (status !== 0) throw new Error(`docker load: ${stderr}`);
    }
    let name = 0;
    for (const { count, files } of containers) {
      const path = (i: number) => `srv/new/group-${i % 50}/file-${i}`;
      const tar = await tarOfFiles(join(this.#scratch, `container-${files}.tar`), files, path, 500);
      for (let each = 0; each < count; each++, name++) {
        const body = { Image: tagOf(name % images.count), Cmd: ["/bin/true"] };
        await call(dockerd.socket, `/containers/create?name=box-${name}`, { method: "POST", body });
        const target = `/containers/box-${name}/archive?path=/`;
        await call(dockerd.socket, target, { method: "PUT", body: createReadStream(tar) });
      }
    }
    return performance.now();
  }
}

function tagOf(image: number): string {
  return `crowded/${image}:latest`;
}

function imageOf(image: number): Buffer {
  const stack = Array.from({ length: images.shared }, (_, i) => layerOf(`stack-${image % images.stacks}-${i}`));
  const own = Array.from({ length: images.own }, (_, i) => layerOf(`image-${image}-${i}`));
  return rawImage({ tag: tagOf(image), layers: [...stack, ...own] });
}

/** Fifty small files. */
function layerOf(name: string): Buffer {
  const files = Array.from({ length: 50 }, (_, i) => ({ name: `opt/${name}/${i}`, content: Buffer.alloc(500, name) }));
  return rawTar([{ name: "opt/", type: "5" }, { name: `opt/${name}/`, type: "5" }, ...files]);
}
