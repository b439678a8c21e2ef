import type { ContainerCreateBody, EndpointSettings } from "../api-container.js";
import { anything, integer, type Kind, list, map, pointer, struct, text } from "../go-struct.js";

const endpoint = struct({
  IPAMConfig: anything,
  Links: list(text),
  Aliases: list(text),
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: integer,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: integer,
  MacAddress: text,
  DriverOpts: map(text),
}) as Kind<unknown> as Kind<EndpointSettings>;

/** What a request to create has beside the container's own config, which stands at its top level. */
const beside = struct({
  HostConfig: anything,
  NetworkingConfig: struct({ EndpointsConfig: map(pointer(endpoint)) }),
});

export interface CreateBody {
  /** As it came. */
  readonly config: Readonly<Record<string, unknown>>;
  /** As it came; null when there was none. */
  readonly host: unknown;
  readonly endpoints: Readonly<Record<string, EndpointSettings | null>>;
}

/** Takes a request to create apart; its keys are matched without regard to case. @throws InvalidParameter */
export function readCreateBody(body: ContainerCreateBody | undefined): CreateBody {
  const { HostConfig, NetworkingConfig } = beside.read(body, "ContainerCreateBody");
  const own = Object.entries(body ?? {}).filter(([key]) => !/^(HostConfig|NetworkingConfig)$/i.test(key));
  return { config: Object.fromEntries(own), host: HostConfig, endpoints: NetworkingConfig.EndpointsConfig ?? {} };
}
