import { Unavailable } from "../../spec/index.js";
import type { Bridge, BridgeMember, Connector } from "./bridge.js";
import { cniDirectories } from "./cni.js";
import { cniBridge } from "./cni-bridge.js";
import { netavark } from "./netavark.js";

/**
 * Gives a namespace an interface on the bridge, which is made if need be, and publishes its ports.
 *
 * @throws Unavailable: the system has nothing that could, or it failed, and why; nothing is left then
 */
export async function joinBridge(bridge: Bridge, member: BridgeMember): Promise<void> {
  await connectorFor(bridge, member).join(bridge, member);
}

/** Takes back what `joinBridge` gave; what is gone already is no error. */
export async function leaveBridge(bridge: Bridge, member: BridgeMember): Promise<void> {
  await connectorFor(bridge, member).leave(bridge, member);
}

/** The CNI plugins if the system has them, else netavark, which masquerades always. @throws Unavailable: it has neither */
function connectorFor(bridge: Bridge, member: BridgeMember): Connector {
  const connector = cniBridge(member) ?? (bridge.masquerade ? netavark() : undefined);
  if (connector) return connector;
  throw new Unavailable(
    "a container on the bridge needs the CNI plugins bridge, static and portmap " +
      `(in ${cniDirectories.join(", ")}) or netavark: install them (Debian: containernetworking-plugins), ` +
      "or use the network none or host",
  );
}
