import { createHash } from "node:crypto";
import { messageOf } from "../../spec/index.js";
import { type Bridge, type BridgeMember, type Connector, gatewayOf } from "./bridge.js";
import { answerOf, isExecutable } from "./program.js";
import { addressText, subnetText } from "./subnet.js";

const places = ["/usr/lib/podman/netavark", "/usr/libexec/podman/netavark", "/usr/local/libexec/podman/netavark"];
/** Where it keeps what it needs for name servers, of which there are none. */
const stateDirectory = "/run/layerkit/netavark";

/** Bridges by podman's netavark; undefined: the system lacks it. */
export function netavark(candidates: readonly string[] = places): Connector | undefined {
  const path = candidates.find(isExecutable);
  if (path === undefined) return undefined;
  const run = (word: string, bridge: Bridge, member: BridgeMember) =>
    answerOf(path, ["--config", stateDirectory, word, member.namespace], {
      input: JSON.stringify(request(bridge, member)),
    });
  return {
    join: async (bridge, member) => {
      await run("setup", bridge, member);
    },
    leave: async (bridge, member) => {
      await run("teardown", bridge, member).catch((error) => {
        if (!/No such (?:device|file)/.test(messageOf(error))) throw error;
      });
    },
  };
}

function request(bridge: Bridge, member: BridgeMember): object {
  const { network, device, subnet, mtu } = bridge;
  const options = { ...(mtu && { mtu: String(mtu) }) };
  return {
    container_id: member.id,
    container_name: member.id,
    port_mappings: member.ports.map(({ containerPort, hostPort, hostIP, protocol }) => ({
      ...{ container_port: containerPort, host_port: hostPort, protocol, range: 1 },
      host_ip: hostIP === "0.0.0.0" ? "" : hostIP,
    })),
    networks: {
      [network]: {
        interface_name: member.interface,
        static_ips: [addressText(member.address)],
        static_mac: member.hardwareAddress,
      },
    },
    network_info: {
      [network]: {
        name: network,
        id: createHash("sha256").update(device).digest("hex"),
        driver: "bridge",
        network_interface: device,
        subnets: [{ subnet: subnetText(subnet), gateway: addressText(gatewayOf(bridge)) }],
        ...{ ipv6_enabled: false, internal: false, dns_enabled: false, options },
        ipam_options: { driver: "host-local" },
      },
    },
  };
}
