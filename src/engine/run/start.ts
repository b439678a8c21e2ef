import { join } from "node:path";
import { makeDirectories } from "../../disk/index.js";
import { RuntimeFailure } from "../../runtime/index.js";
import { Conflict, messageOf, NotImplemented, randomID } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import { type ContainerParts, emitContainer } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import { checkEndpoints } from "../container/endpoints.js";
import { bury } from "../container/remove.js";
import type { StoredContainer, StoredMount, StoredNetworks } from "../container/stored.js";
import { writeBundle } from "./bundle.js";
import { watchHealth } from "./health.js";
import { hold } from "./hold.js";
import { logTarget } from "./log-target.js";
import type { Attachment } from "./network-attachment.js";
import { writeNetworkFiles } from "./network-files.js";
import { release } from "./release.js";
import { containerIn } from "./shared-namespaces.js";
import { startFailure } from "./start-failure.js";
import { running, withState, withStored } from "./states.js";

/** @see Processes.start */
export async function startContainer(parts: ContainerParts, name: string): Promise<boolean> {
  const { store, lives } = parts;
  const { ID: id } = store.find(name).stored;
  return lives.turn(id, async () => {
    const container = store.find(id);
    const { Running, Paused } = container.stored.State;
    if (Paused) throw new Conflict("cannot start a paused container, try unpause instead");
    if (Running) return false;
    await run(parts, container, { anew: true });
    return true;
  });
}

/**
 * Sets a container's process going; in its turn.
 *
 * @param anew somebody asks for it: what was before does not count for its restart policy
 * @throws what the runtime says; with AutoRemove the container is gone then
 */
export async function run(parts: ContainerParts, container: Container, { anew }: { anew: boolean }): Promise<void> {
  const { lives, supervisor, store } = parts;
  const { ID: id, State: state } = container.stored;
  const life = lives.of(id);
  if (life.removing || state.RemovalInProgress || state.Dead) {
    throw new Conflict("container is marked for removal and cannot be started");
  }
  clearTimeout(life.restartTimer);
  let prepared = container;
  try {
    refuseDevices(container.host);
    checkEndpoints(container.stored.NetworkSettings.Networks ?? {});
    const log = logTarget(store.pathOf(id), container);
    const attachment = await parts.attachments.attach(container);
    prepared = withStored(container, { NetworkSettings: attachment.settings, LogPath: log?.path ?? "" });
    const held = await hold(parts, prepared);
    life.held = held;
    prepared = withStored(prepared, {
      ...(await filesOf(parts, prepared, attachment)),
      ShmPath: shmPath(parts, held.shm),
    });
    const bundle = await writeBundle(parts, prepared, { held, attachment });
    prepared = mounted(parts, prepared);
    if (anew) {
      life.restarts.reset();
      prepared = withStored(prepared, { HasBeenManuallyStopped: false });
    }
    const { Tty: tty = false, OpenStdin: openStdin = false, StdinOnce: stdinOnce = false } = container.stored.Config;
    const { pid, startedAtNs } = await supervisor.start({ id, bundle, tty, openStdin, stdinOnce, log });
    prepared = withStored(withState(prepared, running(pid, startedAtNs)), {
      HasBeenStartedBefore: true,
      NetworkSettings: sandboxed(prepared.stored.NetworkSettings, pid),
    });
  } catch (error) {
    throw await failed(parts, prepared, error);
  }
  store.note(prepared);
  // Its address and ports have to be given back even by who comes after a crash.
  if (prepared.stored.NetworkSettings.Networks?.bridge?.IPAddress) void store.settled(id);
  emitContainer(parts, prepared, "start");
  watchHealth(parts, prepared);
}

/** Such as `--gpus` asks for: they take a vendor's hook beside the runtime. */
function refuseDevices({ DeviceRequests }: HostConfig): void {
  const [request] = (DeviceRequests ?? []) as { Driver?: string; Capabilities?: string[][] | null }[];
  if (!request) return;
  const { Driver = "", Capabilities } = request;
  const wanted = (Capabilities ?? []).map((list) => `[${list.join(" ")}]`).join(" ");
  throw new NotImplemented(`could not select device driver ${JSON.stringify(Driver)} with capabilities: [${wanted}]`);
}

/** Where the process's network namespace can be found by others, as `nsenter` does. */
export function sandboxed(settings: StoredNetworks, pid: number): StoredNetworks {
  return settings.SandboxID ? { ...settings, SandboxKey: `/proc/${pid}/ns/net` } : settings;
}

/** Those of a container that shares another's network are the other's. */
async function filesOf(
  { store }: ContainerParts,
  { stored, host }: Container,
  { facts }: Attachment,
): Promise<Partial<StoredContainer>> {
  const directory = store.pathOf(stored.ID);
  await makeDirectories(join(directory, "mounts"), 0o710);
  const other = containerIn(host.NetworkMode, store)?.stored;
  if (!other) return writeNetworkFiles(directory, stored.Config, host, facts);
  const { HostnamePath, HostsPath, ResolvConfPath, Config } = other;
  const { Hostname = "", Domainname = "" } = Config;
  return { HostnamePath, HostsPath, ResolvConfPath, Config: { ...stored.Config, Hostname, Domainname } };
}

/** Kept for those that join; the host's own is nobody's. */
function shmPath({ store }: ContainerParts, path: string | undefined): string {
  return path?.startsWith(store.pathOf("")) ? path : "";
}

/** Gives the container's volumes an id for this run, and tells of them. */
function mounted({ events }: ContainerParts, container: Container): Container {
  const { ID, MountPoints } = container.stored;
  const places = Object.entries(MountPoints).map(([place, mount]) => {
    if (mount.Type !== "volume") return [place, mount] as const;
    const { Spec, SkipMountpointCreation, ...before } = mount;
    const { Destination: destination, Driver: driver, Propagation: propagation = "", RW } = mount;
    events.emit("volume", "mount", mount.Name, {
      ...{ container: ID, destination, driver, propagation },
      "read/write": String(RW),
    });
    return [place, { ...before, ID: randomID(), Spec, SkipMountpointCreation } satisfies StoredMount] as const;
  });
  return withStored(container, { MountPoints: Object.fromEntries(places) });
}

/** Undoes what a start had begun. @returns what to throw */
async function failed(parts: ContainerParts, container: Container, error: unknown): Promise<unknown> {
  const { store, supervisor, report } = parts;
  const { stored, host } = container;
  const told = error instanceof RuntimeFailure ? startFailure(stored.Path, error) : { error };
  const state = { ExitCode: told.exitCode ?? (stored.State.ExitCode || 128), Error: messageOf(told.error) };
  const stale = { Running: false, Restarting: false, Paused: false, Pid: 0 };
  const ended = withState({ ...container, stored: await release(parts, container) }, { ...stale, ...state });
  store.note(ended);
  const abandoned = supervisor.abandon({ id: stored.ID });
  await abandoned.catch((error) => report(`container ${stored.ID}: ${messageOf(error)}`));
  if (host.AutoRemove) await bury(parts, ended, true);
  return told.error;
}
