import { createHash, randomInt } from "node:crypto";
import { gzipSync } from "node:zlib";
import { call } from "../oracle/engine-call.js";
import { dockerArchive } from "../oracle/image-archives.js";
import { configOf } from "../oracle/image-stores.js";
import { rawTar } from "../oracle/raw-tar.js";
import { type Ledger, someID } from "./ledger.js";

/** An image that can be loaded: an archive of its own name. */
interface Loadable {
  readonly layers: readonly Buffer[];
  readonly id: string;
}

/** An image of four layers: files of all sizes, links, a whiteout; the lower two are in every other image too. */
function loadable(seed: number): Loadable {
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

const loadables = [1, 2, 3, 4].map(loadable);

/** A tar for a container, never the same one twice. */
function changes(): Buffer {
  const mark = randomInt(2 ** 40).toString(36);
  const files = Array.from({ length: 10 }, (_, i) => ({ name: `var/${mark}-${i}`, content: mark.repeat(i * 1000) }));
  return rawTar([...files, { name: "etc/file-2", content: mark }]);
}

/**
 * Loads, tags, creates, fills, commits and removes by way of a daemon, in an order that chance decides. Each lane has
 * names of its own, and images in common with the others.
 */
export class Lane {
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly #socket: string;
  readonly #images = new Map<string, string>();
  readonly #containers = new Map<string, string>();
  #count = 0;

  constructor(name: string, socket: string, ledger: Ledger) {
    this.#name = name;
    this.#socket = socket;
    this.#ledger = ledger;
  }

  /** Works until the daemon is gone. @throws what goes wrong before `over()` */
  async work(over: () => boolean): Promise<void> {
    try {
      while (!over()) await this.#step();
    } catch (error) {
      if (!over()) throw error;
    }
  }

  async #step(): Promise<void> {
    const [image, container] = [oneOf(this.#images), oneOf(this.#containers)];
    const steps = [() => this.#load(oneOf(loadables) as Loadable)];
    if (image)
      steps.push(
        () => this.#create(image),
        () => this.#tag(image),
      );
    if (container)
      steps.push(
        () => this.#commit(container),
        () => this.#remove(container),
      );
    const unused = [...this.#images].filter(([name]) => ![...this.#containers.values()].includes(name));
    // More is taken away where there is more, so that the root stays as large as it is.
    for (let i = 0; i < unused.length; i += 2) steps.push(() => this.#untag(oneOf(unused) as [string, string]));
    await (oneOf(steps) as () => Promise<void>)();
  }

  #next(kind: string): string {
    return `${this.#name}-${kind}-${this.#count++}`;
  }

  async #load({ layers, id }: Loadable): Promise<void> {
    const name = `${this.#next("loaded")}:1`;
    const archive = dockerArchive([{ layers, tags: [name] }]);
    const body = randomInt(3) === 0 ? gzipSync(archive, { level: 1 }) : archive;
    await this.#ledger.during(new Map([[name, id]]), () =>
      call(this.#socket, "/images/load?quiet=1", { method: "POST", body }),
    );
    this.#images.set(name, id);
  }

  async #tag([image, id]: [string, string]): Promise<void> {
    const repo = this.#next("tagged");
    await this.#ledger.during(new Map([[`${repo}:1`, id]]), () =>
      call(this.#socket, `/images/${image}/tag?repo=${repo}&tag=1`, { method: "POST" }),
    );
    this.#images.set(`${repo}:1`, id);
  }

  async #create([image]: [string, string]): Promise<void> {
    const name = `/${this.#next("container")}`;
    const create = async () => {
      const path = `/containers/create?name=${name.slice(1)}`;
      return call(this.#socket, path, { method: "POST", body: { Image: image, Cmd: ["sh"] } });
    };
    await this.#ledger.during(new Map([[name, someID]]), create, (answer) => new Map([[name, idIn(answer)]]));
    this.#containers.set(name, image);
    await call(this.#socket, `/containers${name}/archive?path=/`, { method: "PUT", body: changes() });
  }

  async #commit([container]: [string, string]): Promise<void> {
    const repo = this.#next("committed");
    const name = `${repo}:1`;
    const commit = () =>
      call(this.#socket, `/commit?container=${container.slice(1)}&repo=${repo}&tag=1`, { method: "POST" });
    const answer = await this.#ledger.during(
      new Map([[name, someID]]),
      commit,
      (text) => new Map([[name, idIn(text)]]),
    );
    this.#images.set(name, idIn(answer));
  }

  async #remove([container]: [string, string]): Promise<void> {
    await this.#ledger.during(new Map([[container, undefined]]), () =>
      call(this.#socket, `/containers${container}?force=1`, { method: "DELETE" }),
    );
    this.#containers.delete(container);
  }

  async #untag([image]: [string, string]): Promise<void> {
    this.#images.delete(image);
    await this.#ledger.during(new Map([[image, undefined]]), () =>
      call(this.#socket, `/images/${image}`, { method: "DELETE" }),
    );
  }
}

function idIn(answer: string): string {
  return (JSON.parse(answer) as { Id: string }).Id;
}

function oneOf<T>(all: Iterable<T>): T | undefined {
  const list = [...all];
  return list[randomInt(Math.max(1, list.length))];
}
