import { resolveImage } from "../../image/index.js";
import { Conflict, type ImageID, InvalidParameter, LayerkitError, NotFound } from "../../spec/index.js";
import type { ContainerSummary } from "../api-container.js";
import type { Filters } from "../api-system.js";
import type { ContainerListOptions } from "../containers.js";
import { checkFilters, flagFilter, matchesExactly, matchesLabels, matchesPattern } from "../filters.js";
import type { ContainerParts } from "./container-parts.js";
import type { Container } from "./container-store.js";
import { hasRun, statusOf } from "./state-text.js";
import { summaryOf } from "./summary.js";

const known = `ancestor before exited expose health id is-task label name network publish since status volume`.split(
  " ",
);
const statuses = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const healths = ["starting", "healthy", "unhealthy", "none"];

/** @see Containers.list */
export async function listContainers(
  parts: ContainerParts,
  { all = false, limit = 0, size = false, filters = {} }: ContainerListOptions = {},
): Promise<ContainerSummary[]> {
  const fits = test(parts, filters);
  const everyState = all || limit > 0 || (filters.status?.length ?? 0) > 0;
  const found = between(parts, filters)
    .filter(({ stored }) => everyState || stored.State.Running)
    .filter(fits);
  const shown = limit > 0 ? found.slice(0, limit) : found;
  // One that is removed meanwhile is left out.
  const summaries = await Promise.all(
    shown.map((container) => summaryOf(parts, container, { size }).catch(undefinedIfGone)),
  );
  return summaries.filter((summary) => summary !== undefined);
}

function undefinedIfGone(error: unknown): undefined {
  if (!(error instanceof NotFound)) throw error;
}

/** All containers, newest first, within `before` and `since`. */
function between({ store }: ContainerParts, { before = [], since = [] }: Filters): Container[] {
  const ordered = store.list();
  const at = (names: readonly string[]) => names.map((name) => ordered.indexOf(named(store, name)));
  const first = Math.max(-1, ...at(before)) + 1;
  const end = Math.min(ordered.length, ...at(since));
  return ordered.slice(first, Math.max(first, end));
}

function named(store: ContainerParts["store"], name: string): Container {
  try {
    return store.find(name);
  } catch (error) {
    if (error instanceof NotFound || error instanceof Conflict) {
      throw new InvalidParameter(`no such container ${name}`, { cause: error });
    }
    throw error;
  }
}

/** @throws InvalidParameter: a filter or value that is none */
function test(parts: ContainerParts, filters: Filters): (container: Container) => boolean {
  checkFilters(filters, known);
  const exits = (filters.exited ?? []).map(exitCode);
  const images = (filters.ancestor ?? []).length > 0 ? descendants(parts, filters.ancestor ?? []) : undefined;
  const bad = (filters.status ?? []).find((status) => !statuses.includes(status));
  if (bad !== undefined) throw new InvalidParameter(`Invalid filter 'status=${bad}'`);
  const sick = (filters.health ?? []).find((health) => !healths.includes(health));
  if (sick !== undefined) throw new InvalidParameter(`Unrecognised filter value for health: ${sick}`);
  const isTask = flagFilter(filters, "is-task") ?? false;
  const [publish, expose] = [portFilter(filters, "publish"), portFilter(filters, "expose")];
  return ({ stored, host }) => {
    const { State: state, Config: config, MountPoints: mounts } = stored;
    const networks = Object.entries(stored.NetworkSettings.Networks ?? {});
    return (
      !isTask &&
      matchesPattern(filters, "id", stored.ID) &&
      matchesPattern(filters, "name", stored.Name, stored.Name.slice(1)) &&
      matchesLabels(filters, config.Labels) &&
      matchesExactly(filters, "status", statusOf(state)) &&
      matchesExactly(filters, "health", state.Health?.Status || "none") &&
      (exits.length === 0 || (!state.Running && hasRun(state) && exits.includes(state.ExitCode))) &&
      matchesExactly(filters, "volume", ...Object.values(mounts).flatMap((m) => [m.Name, m.Source, m.Destination])) &&
      (images === undefined || images.has(stored.Image as ImageID)) &&
      matchesExactly(filters, "network", ...networks.flatMap(([name, { NetworkID }]) => [name, NetworkID ?? ""])) &&
      publish(Object.keys(host.PortBindings ?? {})) &&
      expose(Object.keys(config.ExposedPorts ?? {}))
    );
  };
}

function exitCode(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidParameter(`Invalid filter 'exited=${text}'`);
  return Number(text);
}

/** The images named, and those made upon them. A name that is no image's names none. */
function descendants({ imageStore, references }: ContainerParts, names: readonly string[]): ReadonlySet<ImageID> {
  const found = new Set<ImageID>();
  const add = (id: ImageID) => {
    if (found.has(id)) return;
    found.add(id);
    for (const child of imageStore.children(id)) add(child.id);
  };
  for (const name of names) {
    try {
      add(resolveImage(imageStore, references, name).image.id);
    } catch (error) {
      if (!(error instanceof LayerkitError)) throw error;
    }
  }
  return found;
}

/** `80`, `80/udp`, `8000-8010/tcp`: whether one of a container's ports is among them. */
function portFilter(filters: Filters, key: string): (ports: readonly string[]) => boolean {
  const ranges = (filters[key] ?? []).map((value) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value);
    if (!match) throw new InvalidParameter(`Invalid filter '${key}=${value}'`);
    return { low: Number(match[1]), high: Number(match[2] ?? match[1]), protocol: match[3] ?? "tcp" };
  });
  const inRange = (port: string) => {
    const [number, protocol = "tcp"] = port.split("/");
    return ranges.some(
      (range) => Number(number) >= range.low && Number(number) <= range.high && protocol === range.protocol,
    );
  };
  return (ports) => ranges.length === 0 || ports.some(inRange);
}
