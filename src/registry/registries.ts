import type { Credentials } from "../spec/index.js";
import { type Login, login } from "./login.js";
import type { AbortOption, RegistriesOptions } from "./options.js";
import { Repository, type RepositoryName } from "./repository.js";
import { type Shared, sharedOf } from "./shared.js";

/** All registries of the world, as this process speaks to them. Disposing ends its connections. */
export class Registries implements AsyncDisposable {
  #shared: Shared;

  /** @throws InvalidParameter: a mirror or an insecure network that is none */
  constructor(options: RegistriesOptions = {}) {
    this.#shared = sharedOf(options);
  }

  /**
   * Speaks to registries so from now on. Repositories that have been given out go on as before, and so do connections.
   *
   * @throws InvalidParameter: as the constructor; nothing has changed then
   */
  configure(options: RegistriesOptions): void {
    this.#shared = { ...sharedOf(options), connections: this.#shared.connections };
  }

  /**
   * Makes no request: the first operation does.
   *
   * @param purpose what tokens are asked for; mirrors serve pulls alone
   */
  repository(name: RepositoryName, credentials?: Credentials, purpose: "pull" | "push" = "pull"): Repository {
    return new Repository(name, this.#shared, purpose, credentials);
  }

  /**
   * Asks the registry at `credentials.serveraddress` (Docker Hub without one) whether it takes them.
   *
   * @throws Unauthorized: it does not
   */
  async login(credentials: Credentials, options?: AbortOption): Promise<Login> {
    return await login(this.#shared, credentials, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shared.connections.close();
  }
}
