import { parseAddress, parseSubnet, type Subnet } from "../../runtime/index.js";

/** How containers are connected that ask for the default network. What is left out is chosen. */
export interface NetworkSettings {
  /** Interface of the host that is the bridge, made if need be; `none`: there is no bridge, such containers are alone. */
  readonly bridge?: string;
  /** The bridge's address and prefix length, `172.17.0.1/16`. */
  readonly bip?: string;
  /** Bytes. */
  readonly mtu?: number;
  /** Whether iptables may be used; it is unless this is false. Ports are published by it. */
  readonly rules?: boolean;
  /** Whether containers reach the world beyond the host under the host's address; they do unless this is false. */
  readonly masquerade?: boolean;
  /** Address of the host that ports are published at which name none. */
  readonly ip?: string;
}

/** The bridge's interface; undefined: there is to be none. */
export function bridgeDevice({ bridge }: NetworkSettings = {}): string | undefined {
  return bridge === "none" ? undefined : bridge || "layerkit0";
}

/** @throws InvalidParameter: no address, or no subnet that can be a bridge's */
export function checkNetworkSettings({ bip, ip }: NetworkSettings): void {
  if (bip !== undefined) parseBip(bip);
  if (ip !== undefined) parseAddress(ip);
}

/** `172.17.0.1/16`: the host's address and the subnet it lies in. @throws InvalidParameter */
export function parseBip(text: string): { address: number; subnet: Subnet } {
  return { address: parseAddress(text.split("/")[0] ?? ""), subnet: parseSubnet(text) };
}
