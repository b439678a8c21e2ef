import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { InvalidParameter } from "../spec/index.js";

/** Hosts that need no valid certificate, and no TLS: those named, in one of the networks named, and loopback ones. */
export class InsecureHosts {
  readonly #names: ReadonlySet<string>;
  readonly #networks = new BlockList();
  readonly #hasNetworks: boolean;

  /** @throws InvalidParameter: a network that is none */
  constructor(entries: readonly string[]) {
    const networks = entries.filter((entry) => entry.includes("/"));
    for (const network of [...networks, "127.0.0.0/8", "::1/128"]) this.#add(network);
    this.#names = new Set(entries.filter((entry) => !entry.includes("/")).map((entry) => entry.toLowerCase()));
    this.#hasNetworks = networks.length > 0;
  }

  #add(network: string): void {
    const [address = "", bits = ""] = network.split("/");
    const version = isIP(address);
    if (version === 0 || !/^\d+$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) {
      throw new InvalidParameter(`insecure registry ${network} is invalid: want HOST[:PORT] or ADDRESS/BITS`);
    }
    this.#networks.addSubnet(address, Number(bits), familyOf(version));
  }

  /** @param host with port when it has one, as in image names */
  async includes(host: string): Promise<boolean> {
    const name = host
      .toLowerCase()
      .replace(/:\d+$/, "")
      .replace(/^\[(.*)\]$/, "$1");
    if (this.#names.has(host.toLowerCase()) || this.#names.has(name) || name === "localhost") return true;
    return (await this.#addressesOf(name)).some((address) => this.#networks.check(address, familyOf(isIP(address))));
  }

  /** Names are looked up only where it can matter. */
  async #addressesOf(name: string): Promise<string[]> {
    if (isIP(name) !== 0) return [name];
    if (!this.#hasNetworks) return [];
    const found = await lookup(name, { all: true }).catch(() => []);
    return found.map(({ address }) => address);
  }
}

function familyOf(version: number): "ipv4" | "ipv6" {
  return version === 6 ? "ipv6" : "ipv4";
}
