import { gzipSync } from "node:zlib";
import type { BadRegistry } from "../oracle/bad-registry.js";
import { call } from "../oracle/engine-call.js";
import { type Ledger, someID } from "./ledger.js";
import { archiveOf, type Loadable, loadable, newFiles, oneOf } from "./materials.js";

const loadables = [1, 2, 3, 4].map(loadable);

/** What lanes work with. */
export interface Tools {
  readonly socket: string;
  /** To pull from: it is given what a lane pulls. */
  readonly registry: BadRegistry;
  readonly ledger: Ledger;
}

/**
 * Loads, pulls, tags, creates, fills, commits and removes by way of a daemon, in an order that chance decides. Each lane has
 * names of its own, and images in common with the others.
 */
export class Lane {
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly #registry: BadRegistry;
  readonly #socket: string;
  readonly #images = new Map<string, string>();
  readonly #containers = new Map<string, string>();
  #count = 0;

  constructor(name: string, { socket, registry, ledger }: Tools) {
    this.#name = name;
    this.#socket = socket;
    this.#registry = registry;
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
    const next = oneOf(loadables) as Loadable;
    const steps = [() => this.#load(next), () => this.#pull(next)];
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
    const body = archiveOf({ layers }, name);
    await this.#ledger.during(new Map([[name, id]]), () =>
      call(this.#socket, "/images/load?quiet=1", { method: "POST", body }),
    );
    this.#images.set(name, id);
  }

  async #pull({ layers, id }: Loadable): Promise<void> {
    const repository = this.#next("pulled");
    this.#registry.addImage(`${repository}:1`, layers, layers.map(packed));
    const name = `${this.#registry.host}/${repository}:1`;
    await this.#ledger.during(new Map([[name, id]]), () =>
      call(this.#socket, `/images/create?fromImage=${name}`, { method: "POST" }),
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
    await call(this.#socket, `/containers${name}/archive?path=/`, { method: "PUT", body: newFiles() });
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

/** The same bytes each time: others cost time. */
function packed(layer: Buffer): ReturnType<typeof gzipSync> {
  const blob = blobs.get(layer) ?? gzipSync(layer, { level: 1 });
  blobs.set(layer, blob);
  return blob;
}

const blobs = new Map<Buffer, ReturnType<typeof gzipSync>>();

function idIn(answer: string): string {
  return (JSON.parse(answer) as { Id: string }).Id;
}
