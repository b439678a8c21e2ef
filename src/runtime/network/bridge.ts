import { firstAddress, type Subnet } from "./subnet.js";

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

/** A program of the system that connects namespaces to bridges. */
export interface Connector {
  /** All or nothing. @throws Unavailable: in the program's words */
  join(bridge: Bridge, member: BridgeMember): Promise<void>;
  /** What is gone already is no error. */
  leave(bridge: Bridge, member: BridgeMember): Promise<void>;
}

export function gatewayOf({ gateway, subnet }: Bridge): number {
  return gateway ?? firstAddress(subnet);
}
