import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BadRegistry } from "../../../test/oracle/bad-registry.js";
import type { Fault } from "../../../test/oracle/registry-faults.js";
import { leftovers } from "../../../test/oracle/root-leftovers.js";
import { collected } from "../../../test/oracle/sample-image.js";
import { scratch } from "../../../test/oracle/scratch.js";
import { type Digest, shortID, Undo } from "../../spec/index.js";
import type { ProgressMessage } from "../api-image.js";
import { Engine, type EngineOptions } from "../engine.js";
import type { PullOptions } from "../images.js";

export type Driver = "overlay2" | "vfs";

/** An engine on a root of its own and a registry made by hand, which it pulls from. */
export class Pulling implements AsyncDisposable {
  readonly registry: BadRegistry;
  readonly root: string;
  readonly driver: Driver;
  readonly #options: EngineOptions;
  readonly #undo: Undo;
  #engine: Engine;

  private constructor(registry: BadRegistry, options: EngineOptions & { driver: Driver }, engine: Engine, undo: Undo) {
    this.registry = registry;
    this.root = options.root;
    this.driver = options.driver;
    this.#options = options;
    this.#engine = engine;
    this.#undo = undo;
  }

  static async start(driver: Driver, more: Omit<Partial<EngineOptions>, "driver"> = {}): Promise<Pulling> {
    const undo = new Undo();
    const directory = await scratch("/dev/shm");
    undo.defer(() => directory[Symbol.asyncDispose]());
    const registry = await BadRegistry.start();
    undo.defer(() => registry[Symbol.asyncDispose]());
    const registries = { time: { pause: async () => {} }, ...more.registries };
    const options = { root: join(directory.path, "root"), driver, report: () => {}, ...more, registries };
    return new Pulling(registry, options, await Engine.open(options), undo);
  }

  get engine(): Engine {
    return this.#engine;
  }

  /** The engine comes to its end, and another one opens the root. */
  async reopen(): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
    this.#engine = await Engine.open(this.#options);
  }

  /** @param name `repo:tag` in the registry */
  messages(name: string, options?: PullOptions): AsyncIterable<ProgressMessage> {
    return this.engine.images.pull(`${this.registry.host}/${name}`, options);
  }

  pull(name: string, options?: PullOptions): Promise<ProgressMessage[]> {
    return collected(this.messages(name, options));
  }

  /** What was said without figures, as the docker command prints it in a pipe. */
  async lines(name: string, options?: PullOptions): Promise<string[]> {
    return (await this.pull(name, options)).filter(isLine).map(lineOf);
  }

  /** Digests of the blobs that were fetched, each time. */
  get fetched(): string[] {
    const blobs = this.registry.requests.map(({ path }) => /\/blobs\/(sha256:\w+)$/.exec(path)?.[1]);
    return blobs.filter((digest) => digest !== undefined);
  }

  /** How often a blob was fetched. */
  times(blob: Digest): number {
    return this.fetched.filter((digest) => digest === blob).length;
  }

  left(): Promise<string[]> {
    return leftovers(this.root, this.driver);
  }

  /** Every path in the root. */
  async paths(): Promise<string[]> {
    return (await readdir(this.root, { recursive: true })).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
    await this.#undo[Symbol.asyncDispose]();
  }
}

function isLine({ progressDetail }: ProgressMessage): boolean {
  return progressDetail?.current === undefined;
}

function lineOf({ id, status }: ProgressMessage): string {
  return id === undefined ? `${status}` : `${id}: ${status}`;
}

/** A request that waits for its answer until it is let go. `came` resolves with the request. */
export function held(): { fault: Fault; came: Promise<void>; letGo: () => void } {
  let [arrive, letGo] = [() => {}, () => {}];
  const came = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const fault: Fault = (_request, _response, serve) => {
    arrive();
    void gone.then(serve);
  };
  return { fault, came, letGo: () => letGo() };
}

/** A pull of which each message is seen as it comes. */
export function watched(it: Pulling, name: string, signal?: AbortSignal) {
  const seen: ProgressMessage[] = [];
  const waiting = new Set<() => void>();
  const ended = (async () => {
    for await (const message of it.messages(name, signal && { signal })) {
      seen.push(message);
      for (const look of waiting) look();
    }
  })();
  ended.catch(() => {});
  const until = (like: (message: ProgressMessage) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (seen.some(like)) resolve();
      };
      waiting.add(look);
      look();
    });
  /** Resolves when this has been said of a blob. */
  const said = (status: string, digest: Digest) =>
    until((message) => message.status === status && message.id === shortID(digest));
  /** Resolves when all of a layer is on disk. */
  const unpacked = ({ digest }: { digest: Digest }) =>
    until(({ id, status, progressDetail: { current, total } = {} }) => {
      return id === shortID(digest) && status === "Extracting" && current === total;
    });
  return { seen, ended, said, unpacked };
}
