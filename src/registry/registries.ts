import { type Credentials, NotImplemented } from "../spec/index.js";
import type { AbortOption, RegistriesOptions } from "./options.js";
import { Repository, type RepositoryName } from "./repository.js";

/** What a registry said to credentials. */
export interface Login {
  readonly status: string;
  /** A token to be kept in place of the password; "" when the registry has none to give. */
  readonly identityToken: string;
}

/** All registries of the world, as this process speaks to them. Disposing ends its connections. */
export class Registries implements AsyncDisposable {
  readonly #options: RegistriesOptions;

  constructor(options: RegistriesOptions = {}) {
    this.#options = options;
  }

  /** Makes no request: the first operation does. */
  repository(name: RepositoryName, credentials?: Credentials): Repository {
    return new Repository(name, this.#options, credentials);
  }

  /** Asks the registry at `credentials.serveraddress` (Docker Hub without one) whether it takes them. @throws Unauthorized */
  async login(_credentials: Credentials, _options?: AbortOption): Promise<Login> {
    throw new NotImplemented("login");
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
