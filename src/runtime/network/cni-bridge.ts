import type { Bridge, BridgeMember, Connector } from "./bridge.js";
import { gatewayOf } from "./bridge.js";
import { CNI, type CNIConfig } from "./cni.js";
import { addressText } from "./subnet.js";

/** Bridges by CNI plugins; undefined: the system lacks those that this member needs. */
export function cniBridge({ ports }: { readonly ports: readonly unknown[] }): Connector | undefined {
  const plugins = CNI.find(["bridge", "static", ...(ports.length > 0 ? ["portmap"] : [])]);
  return (
    plugins && {
      join: async (bridge, member) => {
        await plugins.add(bridge.network, chainOf(bridge, member), member);
      },
      leave: (bridge, member) => plugins.delete(bridge.network, chainOf(bridge, member), member),
    }
  );
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
