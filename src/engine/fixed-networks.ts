import { createHash } from "node:crypto";
import { InvalidParameter, NotFound } from "../spec/index.js";
import type { Filters, Network } from "./api-system.js";
import { checkFilters, matchesExactly, matchesLabels, matchesPattern } from "./filters.js";
import type { Networks } from "./networks.js";

const drivers: Readonly<Record<string, string>> = { bridge: "bridge", host: "host", none: "null" };

/** The predefined networks of one data root. Their ids depend on `seed` alone. */
export class FixedNetworks implements Networks {
  readonly #networks: readonly Network[];

  /** @param created RFC 3339 */
  constructor(seed: string, created: string) {
    this.#networks = Object.entries(drivers).map(([name, driver]) => network(name, driver, seed, created));
  }

  list({ filters = {} }: { readonly filters?: Filters } = {}): Network[] {
    checkFilters(filters, ["dangling", "driver", "id", "label", "name", "scope", "type"]);
    const types = filters.type ?? [];
    const bad = types.find((type) => type !== "builtin" && type !== "custom");
    if (bad !== undefined) throw new InvalidParameter(`Invalid filter: 'type'='${bad}'`);
    return this.#networks.filter(
      ({ Name, Id, Driver, Scope, Labels }) =>
        matchesExactly(filters, "driver", Driver) &&
        matchesPattern(filters, "id", Id) &&
        matchesPattern(filters, "name", Name) &&
        matchesExactly(filters, "scope", Scope) &&
        matchesExactly(filters, "type", "builtin") &&
        matchesExactly(filters, "dangling", "false", "0") &&
        matchesLabels(filters, Labels),
    );
  }

  inspect(name: string): Network {
    const exact = this.#networks.find(({ Id, Name }) => name === Id || name === Name);
    const [found, other] = this.#networks.filter(({ Id }) => name !== "" && Id.startsWith(name));
    const result = exact ?? (other ? undefined : found);
    if (!result) throw new NotFound(`network ${name} not found`);
    return result;
  }
}

function network(name: string, driver: string, seed: string, created: string): Network {
  return {
    Name: name,
    Id: createHash("sha256").update(`${seed} ${name}`).digest("hex"),
    Created: created,
    Scope: "local",
    Driver: driver,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}
