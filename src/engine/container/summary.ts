import { resolveImage } from "../../image/index.js";
import { parseRFC3339 } from "../../spec/index.js";
import type { ContainerSummary, EndpointSettings, MountPoint, PortMap } from "../api-container.js";
import { portList } from "../network/ports.js";
import type { ContainerParts } from "./container-parts.js";
import type { Container } from "./container-store.js";
import { statusOf, statusText } from "./state-text.js";
import { endpointSettings, type StoredContainer, type StoredMount } from "./stored.js";

/** A container as lists show it. */
export async function summaryOf(
  parts: ContainerParts,
  container: Container,
  options: { readonly size: boolean },
): Promise<ContainerSummary> {
  const { stored, host } = container;
  const { SizeRw, SizeRootFs } = options.size ? await sizesOf(parts, stored) : {};
  return {
    Id: stored.ID,
    Names: [stored.Name],
    Image: imageName(parts, stored),
    ImageID: stored.Image,
    Command: commandOf(stored),
    Created: Number((parseRFC3339(stored.Created) ?? 0n) / 1_000_000_000n),
    Ports: portList((stored.NetworkSettings.Ports ?? {}) as PortMap),
    ...(SizeRw && { SizeRw }),
    ...(SizeRootFs && { SizeRootFs }),
    Labels: stored.Config.Labels ?? {},
    State: statusOf(stored.State),
    Status: statusText(stored.State),
    HostConfig: { NetworkMode: host.NetworkMode ?? "" },
    NetworkSettings: { Networks: shortEndpointsOf(stored) },
    Mounts: mountPointsOf(stored),
  };
}

/** Bytes the container itself holds, and with its image. */
export async function sizesOf({ layers }: ContainerParts, { ID }: StoredContainer) {
  const SizeRw = await layers.rw.size(ID);
  const { parent } = layers.rw.get(ID);
  return { SizeRw, SizeRootFs: SizeRw + (parent ? layers.get(parent).size : 0) };
}

/** The image as it was named at create, if that still names it; else its id. */
function imageName(parts: ContainerParts, { Config, Image }: StoredContainer): string {
  const name = Config.Image ?? "";
  if (name === Image || name === "") return name;
  try {
    return resolveImage(parts.imageStore, parts.references, name).image.id === Image ? name : Image;
  } catch {
    return Image;
  }
}

function commandOf({ Path, Args }: StoredContainer): string {
  return [Path, ...Args.map((word) => (word.includes(" ") ? `'${word}'` : word))].join(" ");
}

/** The networks of a container, their keys as the API has them. */
export function endpointsOf({ NetworkSettings }: StoredContainer): Record<string, EndpointSettings> {
  const networks = Object.entries(NetworkSettings.Networks ?? {});
  return Object.fromEntries(networks.map(([name, endpoint]) => [name, endpointSettings(endpoint)]));
}

/** The same as lists show it: without what was asked for. */
function shortEndpointsOf(stored: StoredContainer): Record<string, EndpointSettings> {
  const hidden = { IPAMConfig: null, Links: null, Aliases: null };
  const networks = Object.entries(endpointsOf(stored));
  return Object.fromEntries(networks.map(([name, endpoint]) => [name, { ...endpoint, ...hidden }]));
}

/** The mounts of a container as the API has them, by destination. */
export function mountPointsOf({ MountPoints }: StoredContainer): MountPoint[] {
  const mounts = Object.values(MountPoints).sort((a, b) => (a.Destination < b.Destination ? -1 : 1));
  return mounts.map(mountPoint);
}

function mountPoint({ Type, Name, Source, Destination, Driver, Relabel, RW, Propagation }: StoredMount): MountPoint {
  return {
    Type: Type || (Driver ? "volume" : "bind"),
    ...(Name && { Name }),
    Source: Source ?? "",
    Destination,
    ...(Driver && { Driver }),
    Mode: Relabel ?? "",
    RW,
    Propagation: Propagation ?? "",
  };
}
