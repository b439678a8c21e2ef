import { CNI, type CNIConfig, type CNITarget } from "./cni.js";
import { addressText, firstAddress, type Subnet, subnetText } from "./subnet.js";

/** A bridge of the host that containers are on. The host has the first address of the subnet. */
export interface Bridge {
  /** Of the network, as users call it. */
  readonly network: string;
  /** Of the interface. */
  readonly device: string;
  readonly subnet: Subnet;
  /** The host's address, when it is not the first. */
  readonly gateway?: number;
  /** Of packets, bytes. */
  readonly mtu?: number;
  /** Whether containers reach the world beyond the host under the host's address; needs iptables. */
  readonly masquerade: boolean;
}

/** A port of a container that is published on the host. */
export interface PublishedPort {
  readonly containerPort: number;
  readonly hostPort: number;
  /** `0.0.0.0`: all addresses of the host. */
  readonly hostIP: string;
  readonly protocol: "tcp" | "udp" | "sctp";
}

/** A container's place on a bridge. */
export interface BridgeMember {
  /** Container id. */
  readonly id: string;
  /** Path of its network namespace. */
  readonly namespace: string;
  /** Name of the interface in there, such as `eth0`. */
  readonly interface: string;
  readonly address: number;
  readonly hardwareAddress: string;
  readonly ports: readonly PublishedPort[];
}

/**
 * Gives a namespace an interface on the bridge, which is made if need be, and publishes its ports.
 *
 * @throws Unavailable: the plugins are missing or fail, and why; nothing is left then
 */
export async function joinBridge(bridge: Bridge, member: BridgeMember): Promise<void> {
  const chain = chainOf(bridge, member);
  await pluginsFor(chain).add(bridge.network, chain, targetOf(member));
}

/** Takes back what `joinBridge` gave; what is gone already is no error. */
export async function leaveBridge(bridge: Bridge, member: BridgeMember): Promise<void> {
  const chain = chainOf(bridge, member);
  await pluginsFor(chain).delete(bridge.network, chain, targetOf(member));
}

export function gatewayOf({ gateway, subnet }: Bridge): number {
  return gateway ?? firstAddress(subnet);
}

function pluginsFor(chain: readonly CNIConfig[]): CNI {
  return CNI.find([...chain.map(({ type }) => type), "static"]);
}

function targetOf(member: BridgeMember): CNITarget {
  return { id: member.id, namespace: member.namespace, interface: member.interface };
}

function chainOf(bridge: Bridge, member: BridgeMember): CNIConfig[] {
  const gateway = addressText(gatewayOf(bridge));
  const address = `${addressText(member.address)}/${bridge.subnet.prefix}`;
  const joined: CNIConfig = {
    type: "bridge",
    bridge: bridge.device,
    isGateway: true,
    forceAddress: false,
    ipMasq: bridge.masquerade,
    // A container may reach itself by the port that it publishes.
    hairpinMode: true,
    ...(bridge.mtu !== undefined && { mtu: bridge.mtu }),
    capabilities: { mac: true },
    runtimeConfig: { mac: member.hardwareAddress },
    ipam: { type: "static", addresses: [{ address, gateway }], routes: [{ dst: "0.0.0.0/0" }] },
  };
  if (member.ports.length === 0) return [joined];
  return [
    joined,
    { type: "portmap", snat: true, capabilities: { portMappings: true }, runtimeConfig: mappings(member) },
  ];
}

function mappings({ ports }: BridgeMember) {
  return {
    portMappings: ports.map(({ hostIP, ...port }) => ({ ...port, ...(hostIP !== "0.0.0.0" && { hostIP }) })),
  };
}

/** A bridge's subnet as `docker network inspect` shows it. */
export function addressing(bridge: Bridge): { Subnet: string; Gateway: string } {
  return { Subnet: subnetText(bridge.subnet), Gateway: addressText(gatewayOf(bridge)) };
}
