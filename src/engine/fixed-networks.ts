import { createHash } from "node:crypto";
import { addressOfDevice, addressText, subnetText } from "../runtime/index.js";
import { InvalidParameter, NotFound } from "../spec/index.js";
import type { Filters, Network } from "./api-system.js";
import type { ContainerStore } from "./container/container-store.js";
import type { StoredContainer } from "./container/stored.js";
import { checkFilters, matchesExactly, matchesLabels, matchesPattern } from "./filters.js";
import type { Networks } from "./networks.js";

const drivers: Readonly<Record<string, string>> = { bridge: "bridge", host: "host", none: "null" };

export interface FixedNetworksOptions {
  /** Their ids depend on it alone. */
  readonly seed: string;
  /** RFC 3339. */
  readonly created: string;
  /** Of the bridge that containers are connected to; undefined: there is none. */
  readonly device: string | undefined;
  readonly store: Pick<ContainerStore, "list">;
}

/** The predefined networks of one data root. */
export class FixedNetworks implements Networks {
  readonly #networks: readonly Network[];
  readonly #options: FixedNetworksOptions;

  constructor(options: FixedNetworksOptions) {
    const { seed, created } = options;
    this.#options = options;
    this.#networks = Object.entries(drivers).map(([name, driver]) => network(name, driver, seed, created));
  }

  list({ filters = {} }: { readonly filters?: Filters } = {}): Network[] {
    checkFilters(filters, ["dangling", "driver", "id", "label", "name", "scope", "type"]);
    const types = filters.type ?? [];
    const bad = types.find((type) => type !== "builtin" && type !== "custom");
    if (bad !== undefined) throw new InvalidParameter(`Invalid filter: 'type'='${bad}'`);
    const networks = this.#networks.filter(
      ({ Name, Id, Driver, Scope, Labels }) =>
        matchesExactly(filters, "driver", Driver) &&
        matchesPattern(filters, "id", Id) &&
        matchesPattern(filters, "name", Name) &&
        matchesExactly(filters, "scope", Scope) &&
        matchesExactly(filters, "type", "builtin") &&
        matchesExactly(filters, "dangling", "false", "0") &&
        matchesLabels(filters, Labels),
    );
    return networks.map((each) => this.#asItIs(each));
  }

  inspect(name: string): Network {
    const exact = this.#networks.find(({ Id, Name }) => name === Id || name === Name);
    const [found, other] = this.#networks.filter(({ Id }) => name !== "" && Id.startsWith(name));
    const result = exact ?? (other ? undefined : found);
    if (!result) throw new NotFound(`network ${name} not found`);
    return this.#asItIs(result);
  }

  /** With who is in it now; and of the bridge, once it is there, its addresses. */
  #asItIs(network: Network): Network {
    const { device, store } = this.#options;
    const on = network.Name === "bridge" && device !== undefined ? addressOfDevice(device) : undefined;
    const Config = on ? [{ Subnet: subnetText(on.subnet), Gateway: addressText(on.address) }] : [];
    const members = store.list().flatMap(({ stored }) => memberOf(stored, network.Name));
    return { ...network, IPAM: { ...network.IPAM, Config }, Containers: Object.fromEntries(members) };
  }
}

/** A container that runs, as the network shows it. */
function memberOf({ ID, Name, State, NetworkSettings }: StoredContainer, network: string): [string, object][] {
  const endpoint = NetworkSettings.Networks?.[network];
  if (!State.Running || !endpoint) return [];
  const { EndpointID = "", MacAddress = "", IPAddress, IPPrefixLen } = endpoint;
  const IPv4Address = IPAddress ? `${IPAddress}/${IPPrefixLen}` : "";
  return [[ID, { Name: Name.slice(1), EndpointID, MacAddress, IPv4Address, IPv6Address: "" }]];
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
