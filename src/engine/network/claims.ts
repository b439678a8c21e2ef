import { freeAddress, freeHostPort, type PublishedPort, type Subnet } from "../../runtime/index.js";
import { Conflict, Unavailable } from "../../spec/index.js";
import { Turns } from "../turns.js";
import type { PortWish } from "./ports.js";

/** All addresses of the host. */
export const anywhere = "0.0.0.0";

interface Claim {
  readonly address: number;
  readonly ports: readonly PublishedPort[];
}

/** Addresses of a subnet and ports of the host: which container has which. */
export class Claims {
  readonly #claims = new Map<string, Claim>();
  /** A port is looked for and claimed by one at a time. */
  readonly #turns = new Turns();

  /** What a running container was found to have. */
  restore(id: string, claim: Claim): void {
    this.#claims.set(id, claim);
  }

  free(id: string): void {
    this.#claims.delete(id);
  }

  /** An address that no container has. @throws Unavailable: there is none */
  address(id: string, subnet: Subnet, gateway: number): number {
    const others = [...this.#claims.values()].map(({ address }) => address);
    const address = freeAddress(subnet, new Set([gateway, ...others]));
    if (address === undefined) throw new Unavailable("no address of the bridge is left for another container");
    this.#claims.set(id, { address, ports: [] });
    return address;
  }

  /** Ports for what a container with an address wishes. @throws Conflict: one is taken, in Docker's words */
  ports(id: string, wishes: readonly PortWish[]): Promise<readonly PublishedPort[]> {
    return this.#turns.alone("ports", async () => {
      for (const wish of wishes) await this.#port(id, wish);
      return this.#claims.get(id)?.ports ?? [];
    });
  }

  async #port(id: string, { hostPorts, ...wish }: PortWish): Promise<void> {
    const hostPort = await this.#firstOpen(wish, hostPorts.length > 0 ? hostPorts : [0]);
    const claim = this.#claims.get(id);
    if (claim) this.#claims.set(id, { ...claim, ports: [...claim.ports, { ...wish, hostPort }] });
  }

  /** The first that can be had; else what is wrong with the last. */
  async #firstOpen(wish: Omit<PortWish, "hostPorts">, [port = 0, ...others]: readonly number[]): Promise<number> {
    try {
      return await this.#open(wish, port);
    } catch (error) {
      if (others.length === 0) throw error;
      return this.#firstOpen(wish, others);
    }
  }

  /** The plugins would give one port to two containers, and a published one is not listened on. */
  async #open({ hostIP, protocol }: Omit<PortWish, "hostPorts">, port: number): Promise<number> {
    const all = [...this.#claims.values()].flatMap(({ ports }) => ports);
    const rivals = all.filter((other) => other.protocol === protocol && meet(other.hostIP, hostIP));
    const isClaimed = (wanted: number) => rivals.some(({ hostPort }) => hostPort === wanted);
    if (isClaimed(port)) throw new Conflict(`Bind for ${hostIP}:${port} failed: port is already allocated`);
    for (;;) {
      const found = await freeHostPort(protocol, hostIP, port);
      if (!isClaimed(found)) return found;
    }
  }
}

function meet(one: string, other: string): boolean {
  return one === other || one === anywhere || other === anywhere;
}
