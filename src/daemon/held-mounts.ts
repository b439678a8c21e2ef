import type { Containers } from "../engine/index.js";
import { NotFound } from "../spec/index.js";

type Mounted = Awaited<ReturnType<Containers["mount"]>>;

/** A container whose merged view somebody asked for, and how often. */
export interface HeldMount {
  readonly Container: string;
  readonly Path: string;
  readonly Count: number;
}

/** Mounts held for clients: each lives until given back as often as it was asked for, or until the daemon ends. */
export class HeldMounts implements AsyncDisposable {
  #containers: Containers;
  #held = new Map<string, Mounted[]>();

  constructor(containers: Containers) {
    this.#containers = containers;
  }

  list(): HeldMount[] {
    return [...this.#held.entries()].map(([id, mounts]) => held(id, mounts));
  }

  async add(name: string): Promise<HeldMount> {
    const { Id } = await this.#containers.inspect(name);
    const mounted = await this.#containers.mount(Id);
    const mounts = [...(this.#held.get(Id) ?? []), mounted];
    this.#held.set(Id, mounts);
    return held(Id, mounts);
  }

  /** @throws NotFound: no such container, or not mounted here */
  async release(name: string): Promise<HeldMount> {
    const { Id } = await this.#containers.inspect(name);
    const [last, ...rest] = [...(this.#held.get(Id) ?? [])].reverse();
    if (!last) throw new NotFound(`container ${name} is not mounted`);
    if (rest.length === 0) this.#held.delete(Id);
    else this.#held.set(Id, rest.reverse());
    await last[Symbol.asyncDispose]();
    return { Container: Id, Path: last.path, Count: rest.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#held.values()].flat();
    this.#held.clear();
    for (const mounted of all) await mounted[Symbol.asyncDispose]();
  }
}

function held(id: string, mounts: readonly Mounted[]): HeldMount {
  return { Container: id, Path: mounts[0]?.path ?? "", Count: mounts.length };
}
