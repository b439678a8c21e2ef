import type { PublishedPort } from "../../runtime/index.js";
import { InvalidParameter, type RunConfig } from "../../spec/index.js";
import type { ContainerSummary, HostConfig, PortMap } from "../api-container.js";

/** A port of a container that is to be published: on one of these ports of the host, on any when there is none. */
export interface PortWish extends Pick<PublishedPort, "containerPort" | "hostIP" | "protocol"> {
  readonly hostPorts: readonly number[];
}

/** What a container asks to publish: `-p`, and with `-P` each exposed port that it says nothing of. */
export function wantedPorts(config: RunConfig, host: HostConfig, hostIP: string): PortWish[] {
  const bound = Object.entries(host.PortBindings ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort = "" }) => ({
      ...parsePort(port),
      hostIP: HostIp || hostIP,
      hostPorts: portsIn(HostPort),
    })),
  );
  if (!host.PublishAllPorts) return bound;
  const named = new Set(bound.map(({ containerPort, protocol }) => portName(containerPort, protocol)));
  const others = Object.keys(config.ExposedPorts ?? {}).map(parsePort);
  const rest = others.filter(({ containerPort, protocol }) => !named.has(portName(containerPort, protocol)));
  return [...bound, ...rest.map((port) => ({ ...port, hostIP, hostPorts: [] }))];
}

/** The ports of a running container as `inspect` shows them: null for those exposed alone. */
export function portMap(config: RunConfig, published: readonly PublishedPort[]): PortMap {
  const map: PortMap = Object.fromEntries(Object.keys(config.ExposedPorts ?? {}).map((port) => [port, null]));
  for (const { containerPort, protocol, hostIP, hostPort } of published) {
    const name = portName(containerPort, protocol);
    map[name] = [...(map[name] ?? []), { HostIp: hostIP, HostPort: String(hostPort) }];
  }
  return map;
}

/** The published ports of a map. */
export function publishedPorts(map: PortMap): PublishedPort[] {
  return Object.entries(map).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp = "0.0.0.0", HostPort }) => ({
      ...parsePort(port),
      hostIP: HostIp,
      hostPort: Number(HostPort),
    })),
  );
}

/** A map as lists show it. */
export function portList(map: PortMap): ContainerSummary["Ports"] {
  return Object.entries(map).flatMap(([port, bindings]) => {
    const { containerPort: PrivatePort, protocol: Type } = parsePort(port);
    if (!bindings?.length) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp, HostPort }) => ({
      ...(HostIp && { IP: HostIp }),
      PrivatePort,
      PublicPort: Number(HostPort),
      Type,
    }));
  });
}

/** `80`, `53/udp`. @throws InvalidParameter */
function parsePort(text: string): Pick<PublishedPort, "containerPort" | "protocol"> {
  const [, port, protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (port === undefined) throw new InvalidParameter(`invalid port specification: ${JSON.stringify(text)}`);
  return { containerPort: Number(port), protocol: protocol as PublishedPort["protocol"] };
}

/** ``: any, `0`: any, `80`, `8000-8010`. @throws InvalidParameter */
function portsIn(text: string): number[] {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text || "0") ?? [];
  const [low, high] = [Number(first), Number(last)];
  if (!(low <= high && high < 65_536))
    throw new InvalidParameter(`invalid port specification: ${JSON.stringify(text)}`);
  return high === 0 ? [] : Array.from({ length: high - low + 1 }, (_, index) => low + index);
}

function portName(port: number, protocol: string): string {
  return `${port}/${protocol}`;
}
