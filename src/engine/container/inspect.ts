import type { ContainerInspect, HostConfig } from "../api-container.js";
import type { ContainerParts } from "./container-parts.js";
import type { Container } from "./container-store.js";
import { statusOf } from "./state-text.js";
import type { StoredContainer, StoredState } from "./stored.js";
import { endpointsOf, mountPointsOf, sizesOf } from "./summary.js";

/** A container as `docker inspect` shows it. */
export async function inspectContainer(
  parts: ContainerParts,
  { stored, host }: Container,
  { size = false }: { readonly size?: boolean } = {},
): Promise<ContainerInspect> {
  return {
    Id: stored.ID,
    Created: stored.Created,
    Path: stored.Path,
    Args: stored.Args,
    State: stateOf(stored.State),
    Image: stored.Image,
    ResolvConfPath: stored.ResolvConfPath ?? "",
    HostnamePath: stored.HostnamePath ?? "",
    HostsPath: stored.HostsPath ?? "",
    LogPath: stored.LogPath ?? "",
    Name: stored.Name,
    RestartCount: stored.RestartCount ?? 0,
    Driver: stored.Driver,
    Platform: stored.OS,
    MountLabel: stored.MountLabel ?? "",
    ProcessLabel: stored.ProcessLabel ?? "",
    AppArmorProfile: stored.AppArmorProfile ?? "",
    ExecIDs: parts.execs.idsOf(stored.ID),
    HostConfig: host as HostConfig,
    GraphDriver: { Data: await metadataOf(parts, stored), Name: stored.Driver },
    ...(size && (await sizesOf(parts, stored))),
    Mounts: mountPointsOf(stored),
    Config: stored.Config,
    NetworkSettings: networksOf(stored),
  };
}

/** One that is half removed has lost its layer; it is still to be looked at. */
async function metadataOf({ layers }: ContainerParts, { ID, State }: StoredContainer) {
  if (State.Dead && !layers.rw.find(ID)) return null;
  return layers.rw.metadata(ID);
}

function stateOf(state: StoredState) {
  return {
    Status: statusOf(state),
    Running: state.Running,
    Paused: state.Paused,
    Restarting: state.Restarting,
    OOMKilled: state.OOMKilled,
    Dead: state.Dead,
    Pid: state.Pid,
    ExitCode: state.ExitCode,
    Error: state.Error,
    StartedAt: state.StartedAt,
    FinishedAt: state.FinishedAt,
    ...(state.Health && { Health: state.Health }),
  };
}

function networksOf(stored: StoredContainer): object {
  const { NetworkSettings: of } = stored;
  const Networks = endpointsOf(stored);
  const bridge = Networks.bridge;
  return {
    Bridge: of.Bridge ?? "",
    SandboxID: of.SandboxID ?? "",
    HairpinMode: of.HairpinMode ?? false,
    LinkLocalIPv6Address: of.LinkLocalIPv6Address ?? "",
    LinkLocalIPv6PrefixLen: of.LinkLocalIPv6PrefixLen ?? 0,
    Ports: of.Ports ?? {},
    SandboxKey: of.SandboxKey ?? "",
    SecondaryIPAddresses: of.SecondaryIPAddresses ?? null,
    SecondaryIPv6Addresses: of.SecondaryIPv6Addresses ?? null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? "",
    MacAddress: bridge?.MacAddress ?? "",
    Networks,
  };
}
