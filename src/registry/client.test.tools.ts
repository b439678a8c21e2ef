import { BadRegistry } from "../../test/oracle/bad-registry.js";
import { type Credentials, Undo } from "../spec/index.js";
import type { RegistriesOptions } from "./options.js";
import { Registries } from "./registries.js";
import type { Repository } from "./repository.js";

/** A client whose pauses take no time and are written down. */
export class Client implements AsyncDisposable {
  /** In milliseconds. */
  readonly pauses: number[] = [];
  now = 1_000_000;
  readonly registries: Registries;

  constructor(options: RegistriesOptions = {}) {
    const time = { pause: async (ms: number) => void this.pauses.push(ms), random: () => 1, now: () => this.now };
    this.registries = new Registries({ ...options, time });
  }

  /** @param name `HOST/PATH` */
  repository(name: string, credentials?: Credentials, purpose: "pull" | "push" = "pull"): Repository {
    const slash = name.indexOf("/");
    const [domain, path] = [name.slice(0, slash), name.slice(slash + 1)];
    return this.registries.repository({ domain, path }, credentials, purpose);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registries[Symbol.asyncDispose]();
  }
}

/** A registry that can be told to misbehave, and a client of its repository `app`. */
export async function badRegistry(options?: RegistriesOptions, purpose: "pull" | "push" = "pull") {
  const undo = new Undo();
  const registry = await BadRegistry.start();
  undo.defer(() => registry[Symbol.asyncDispose]());
  const client = new Client(options);
  undo.defer(() => client[Symbol.asyncDispose]());
  const app = client.repository(`${registry.host}/app`, undefined, purpose);
  return { registry, client, app, [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose]() };
}
