import { hostname } from "node:os";
import { resolveImage } from "../../image/index.js";
import { InvalidParameter, nowNs, type RunConfig, randomID, rfc3339, shortID, Undo } from "../../spec/index.js";
import type { ContainerCreateBody, ContainerCreated, EndpointSettings, HostConfig } from "../api-container.js";
import { fullHostConfig, withHostDefaults } from "../host-config.js";
import { hasCgroup2 } from "../machine.js";
import { fullRunConfig } from "../run-config.js";
import { checkConfig } from "./check-config.js";
import { type ContainerParts, emitContainer } from "./container-parts.js";
import { makeMountPoints } from "./make-mounts.js";
import { mergeConfig } from "./merge-config.js";
import { wantedMounts } from "./mount-request.js";
import { parseContainerName, randomName } from "./names.js";
import { securityOf } from "./security-options.js";
import { endpointSettings, newContainer } from "./stored.js";

/** Makes a container, all or nothing. @see Containers.create */
export async function createContainer(
  parts: ContainerParts,
  body: ContainerCreateBody,
  { name, signal }: { readonly name?: string; readonly signal?: AbortSignal } = {},
): Promise<ContainerCreated> {
  const { store, layers, driver } = parts;
  const id = randomID();
  const { HostConfig: askedHost, NetworkingConfig: _, ...asked } = body ?? {};
  if (Object.keys(asked).length === 0) {
    throw new InvalidParameter("Config cannot be empty in order to create a container");
  }
  const given = fullRunConfig(asked);
  const image = given.Image ? resolveImage(parts.imageStore, parts.references, given.Image).image : undefined;
  const host = withHostDefaults(fullHostConfig(askedHost), { cgroup2: hasCgroup2(), asked: askedHost != null });
  const Hostname = given.Hostname || hostNameOf(id, host);
  const config = merged({ ...given, Hostname }, image?.config.config);
  checkConfig(config, host, body);
  const security = securityOf(host.SecurityOpt);
  const wanted = await wantedMounts(host);
  const stored = parseName(parts, name);

  await using undo = new Undo();
  store.reserve(stored, id);
  undo.defer(() => store.free(stored));
  const parent = image?.topLayer && { parent: image.topLayer };
  await layers.rw.create(id, { ...parent, init: true, ...(host.StorageOpt && { storage: host.StorageOpt }) });
  undo.defer(() => layers.rw.remove(id));
  signal?.throwIfAborted();
  const MountPoints = await makeMountPoints(parts, { id, config, host, wanted }, undo);
  signal?.throwIfAborted();
  const [Path = "", ...Args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const made = { ID: id, Created: rfc3339(nowNs()), Path, Args, Config: config, Image: image?.id ?? "", Name: stored };
  const networks = networksOf(host, body);
  const container = {
    stored: { ...newContainer({ ...made, Driver: driver, MountPoints, networks }), ...security },
    host,
  };
  await store.add(container);
  undo.done();
  emitContainer(parts, container, "create");
  return { Id: id, Warnings: [] };
}

function merged(given: RunConfig, image: RunConfig | null | undefined): RunConfig {
  const config = image ? mergeConfig(given, image) : given;
  const entrypoint = config.Entrypoint?.length === 1 && config.Entrypoint[0] === "" ? null : config.Entrypoint;
  if (!entrypoint?.length && !config.Cmd?.length) throw new InvalidParameter("No command specified");
  return fullRunConfig({ ...config, Entrypoint: entrypoint ?? null });
}

function parseName({ store }: ContainerParts, name: string | undefined): string {
  return name ? parseContainerName(name) : randomName((taken) => store.isTaken(taken));
}

function hostNameOf(id: string, { NetworkMode: network }: HostConfig): string {
  return network === "host" ? hostname() : shortID(id);
}

/** The networks a container is in: those asked for, else that of its mode. */
function networksOf({ NetworkMode: mode = "" }: HostConfig, body: ContainerCreateBody) {
  const asked = Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {});
  const isDefault = mode === "default";
  const own = isDefault ? "bridge" : mode;
  const alone = mode.startsWith("container:") ? [] : [[own, undefined] as const];
  const all: (readonly [string, EndpointSettings | null | undefined])[] = asked.length > 0 ? asked : alone;
  return Object.fromEntries(
    all.map(([name, endpoint]) => [isDefault && name === "default" ? "bridge" : name, endpointSettings(endpoint)]),
  );
}
