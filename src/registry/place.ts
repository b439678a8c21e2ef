import type { Credentials } from "../spec/index.js";
import { abortable } from "./abortable.js";
import { Endpoint } from "./endpoint.js";
import type { AbortOption } from "./options.js";
import type { Shared } from "./shared.js";

/** Where a registry is to be found; looked for when it is first needed, and once. */
export class Place {
  readonly #bases: () => Promise<readonly URL[]>;
  readonly #shared: Shared;
  readonly #credentials: Credentials | undefined;
  #endpoint: Promise<Endpoint> | undefined;

  private constructor(bases: () => Promise<readonly URL[]>, shared: Shared, credentials?: Credentials) {
    this.#bases = bases;
    this.#shared = shared;
    this.#credentials = credentials;
  }

  /** @param host as in image names: `docker.io`, `registry.example:5000` */
  static ofHost(host: string, shared: Shared, credentials?: Credentials): Place {
    const bases = async () => {
      if (host === "docker.io") return [new URL("https://registry-1.docker.io/")];
      const plain = (await shared.insecure.includes(host)) ? [new URL(`http://${host}/`)] : [];
      return [new URL(`https://${host}/`), ...plain];
    };
    return new Place(bases, shared, credentials);
  }

  /** A mirror is another party: it is told nobody's credentials. */
  static ofMirror(mirror: URL, shared: Shared): Place {
    // Somebody else is asked after it, so it is tried but once.
    return new Place(async () => [mirror], { ...shared, attempts: 1 });
  }

  /** @throws as Endpoint.reach does */
  async reach({ signal }: AbortOption = {}): Promise<Endpoint> {
    this.#endpoint ??= this.#find();
    return await abortable(this.#endpoint, signal);
  }

  async #find(): Promise<Endpoint> {
    try {
      return await Endpoint.reach(await this.#bases(), this.#shared, this.#credentials);
    } catch (error) {
      this.#endpoint = undefined;
      throw error;
    }
  }
}
