import type { PortMap } from "../../engine/index.js";
import { WrongUsage } from "../failure.js";

/**
 * `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`, where a port may be a range; IPv6 addresses stand in brackets.
 *
 * @throws WrongUsage
 */
export function portBindings(given: readonly string[], option: string): PortMap {
  const bindings: PortMap = {};
  for (const text of given) {
    const match = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(?:([\d-]*):)?([\d-]+)(?:\/(\w+))?$/.exec(text);
    if (!match) throw new WrongUsage(`${option} ${text}: want [[ADDRESS:]HOST-PORT:]PORT[/tcp|udp]`);
    const [, bracketed, plain, hostPorts, ports = "", protocol = "tcp"] = match;
    // `80:80` has no address: what stands before the only colon is a port.
    const alone = hostPorts === undefined && bracketed === undefined ? plain : undefined;
    const address = alone === undefined ? (bracketed ?? plain ?? "") : "";
    const host = alone ?? hostPorts ?? "";
    const inside = portRange(ports, text, option);
    const outside = host === "" ? [] : portRange(host, text, option);
    if (outside.length !== inside.length && outside.length > 0 && inside.length > 1)
      throw new WrongUsage(`${option} ${text}: the ranges are of different lengths`);
    for (const [i, port] of inside.entries()) {
      const key = `${port}/${protocol.toLowerCase()}`;
      // A range for one port leaves the choice to the daemon.
      const HostPort = inside.length === 1 ? host : String(outside[i] ?? "");
      bindings[key] = [...(bindings[key] ?? []), { HostIp: address, HostPort }];
    }
  }
  return bindings;
}

/** `PORT[-PORT][/PROTOCOL]` values as the keys of `ExposedPorts`. @throws WrongUsage */
export function exposedPorts(given: readonly string[], option: string): Record<string, object> {
  const ports = given.flatMap((text) => {
    const [range = "", protocol = "tcp"] = text.split("/");
    return portRange(range, text, option).map((port) => `${port}/${protocol.toLowerCase()}`);
  });
  return Object.fromEntries(ports.map((port) => [port, {}]));
}

function portRange(range: string, text: string, option: string): number[] {
  const [from = Number.NaN, to = from] = range.split("-").map((port) => (port === "" ? Number.NaN : Number(port)));
  if (!(from >= 0 && to <= 65535 && from <= to)) throw new WrongUsage(`${option} ${text}: ${range} is no port`);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
