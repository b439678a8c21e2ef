import { hostname } from "node:os";
import { dirname } from "node:path";
import { type Image, resolveImage } from "../../image/index.js";
import { type Security, securityOf } from "../../runtime/index.js";
import { InvalidParameter, type RunConfig, shortID } from "../../spec/index.js";
import type { ContainerCreateBody, EndpointSettings, HostConfig } from "../api-container.js";
import { fullHostConfig, withHostDefaults } from "../host-config.js";
import { hasCgroup2 } from "../machine.js";
import { fullRunConfig } from "../run-config.js";
import { ownRuntimes } from "../settings.js";
import { checkConfig } from "./check-config.js";
import type { ContainerParts } from "./container-parts.js";
import { type CreateBody, readCreateBody } from "./create-body.js";
import { checkLinks, withMacAddress } from "./endpoints.js";
import { mergeConfig } from "./merge-config.js";
import { type WantedMount, wantedMounts, withFlatReadOnly } from "./mount-request.js";
import { besideRoot } from "./root-binds.js";
import { endpointSettings } from "./stored.js";

/** A container to be made: the request, filled up and checked. */
export interface ContainerRequest {
  readonly id: string;
  /** Absent: over nothing. */
  readonly image: Image | undefined;
  readonly config: RunConfig;
  readonly host: HostConfig;
  readonly security: Security;
  readonly wanted: readonly WantedMount[];
  readonly networks: Record<string, EndpointSettings>;
}

/** @throws NotFound: no such image; InvalidParameter: what dockerd refuses at create, in its words */
export async function readRequest(
  { imageStore, references, settings, tmp, defaults }: ContainerParts,
  id: string,
  body: ContainerCreateBody,
  flatReadOnly: boolean,
): Promise<ContainerRequest> {
  const { config: own, host: asked, endpoints } = readCreateBody(body);
  if (Object.keys(own).length === 0) {
    throw new InvalidParameter("Config cannot be empty in order to create a container");
  }
  const given = withMacAddress(fullRunConfig(own), endpoints);
  const image = given.Image ? resolveImage(imageStore, references, given.Image).image : undefined;
  const { runtimes, defaultRuntime: runtime } = settings.current;
  const full = fullHostConfig(asked);
  checkLinks(full.Links);
  const host = withHostDefaults(flatReadOnly ? withFlatReadOnly(full) : full, {
    ...{ cgroup2: hasCgroup2(), asked: asked != null, runtime, containers: defaults },
  });
  const Hostname = given.Hostname || (host.NetworkMode === "host" ? hostname() : shortID(id));
  const config = merged({ ...given, Hostname }, image?.config.config);
  checkConfig(config, host, { networks: Object.keys(endpoints), runtimes: [...ownRuntimes, ...Object.keys(runtimes)] });
  const security = securityOf(host.SecurityOpt, defaults.noNewPrivileges);
  const wanted = (await wantedMounts(host)).map((mount) => besideRoot(mount, dirname(tmp)));
  return { id, image, config, host, security, wanted, networks: networksOf(host, endpoints) };
}

function merged(given: RunConfig, image: RunConfig | null | undefined): RunConfig {
  const config = image ? mergeConfig(given, image) : given;
  const entrypoint = config.Entrypoint?.length === 1 && config.Entrypoint[0] === "" ? null : config.Entrypoint;
  if (!entrypoint?.length && !config.Cmd?.length) throw new InvalidParameter("No command specified");
  return fullRunConfig({ ...config, Entrypoint: entrypoint ?? null });
}

/** The networks a container is in: those asked for, else that of its mode. */
function networksOf({ NetworkMode: mode = "" }: HostConfig, endpoints: CreateBody["endpoints"]) {
  const asked = Object.entries(endpoints);
  const isDefault = mode === "default";
  const own = isDefault ? "bridge" : mode;
  const alone = mode.startsWith("container:") ? [] : [[own, undefined] as const];
  const all: (readonly [string, EndpointSettings | null | undefined])[] = asked.length > 0 ? asked : alone;
  return Object.fromEntries(
    all.map(([name, endpoint]) => [isDefault && name === "default" ? "bridge" : name, endpointSettings(endpoint)]),
  );
}
