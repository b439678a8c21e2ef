import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Exit, Supervised } from "../../runtime/index.js";
import { isErrno, messageOf, rfc3339 } from "../../spec/index.js";
import type { ContainerParts } from "../container/container-parts.js";
import type { Container } from "../container/container-store.js";
import { isRun } from "../container/process.js";
import { bury } from "../container/remove.js";
import type { StoredState } from "../container/stored.js";
import { bundleOf } from "./bundle.js";
import { isFrozen } from "./cgroups.js";
import { later, processEnded, settle } from "./ended.js";
import { watchHealth } from "./health.js";
import { hold } from "./hold.js";
import { endBriefPause } from "./pause.js";
import { run, sandboxed } from "./start.js";
import { running, withState, withStored } from "./states.js";

/**
 * Takes up the containers that have gone on under their supervisor while nobody had the data root open, and applies
 * the exits of those that have ended since. What says of itself that it runs, and does not, is settled: nobody saw it
 * end. Before anything else is done with the data root.
 */
export async function takeUp(parts: ContainerParts): Promise<void> {
  const { store, supervisor, attachments, report } = parts;
  const supervised = (await supervisor.list()).filter(({ execID }) => execID === undefined);
  const known = new Map(supervised.map((one) => [one.id, one]));
  // First of all: what is taken up may be started again while the others are.
  await sweepBundles(parts, supervised);
  await attachments.sweep((id) => isOpen(store.byID(id), known.get(id)), report);
  for (const { stored } of store.list()) {
    const one = known.get(stored.ID);
    try {
      if (one && "exitCode" in one && isApplied(stored.State, one)) await supervisor.acknowledge({ id: stored.ID });
      else if (one) await adopt(parts, stored.ID, one);
      else await settleUnseen(parts, stored.ID);
    } catch (error) {
      report(`container ${stored.ID} cannot be taken up: ${messageOf(error)}`);
    }
  }
  for (const one of supervised) {
    const { id } = one;
    if (store.isThere(id)) continue;
    // A removal that was cut short just before its end.
    if ("exitCode" in one) await supervisor.acknowledge({ id });
    else {
      report(`container ${id} was removed while it ran: it is killed`);
      await supervisor.kill({ id }, 9).catch((error) => report(messageOf(error)));
    }
  }
}

/** Whether something is still to be done about what the supervisor has of a container. */
function isOpen(container: Container | undefined, one: Supervised | undefined): boolean {
  if (!one) return false;
  return !(container && "exitCode" in one && isApplied(container.stored.State, one));
}

async function adopt(parts: ContainerParts, id: string, one: Supervised): Promise<void> {
  const { store, lives } = parts;
  const container = store.byID(id);
  if (!container) return;
  const adopted = isKnown(container, one) ? container : await started(parts, container, one);
  if (!("exitCode" in one)) await endBriefPause(parts, id, one.pid);
  const frozen = !("exitCode" in one) && isFrozen(one.pid);
  const now = frozen === adopted.stored.State.Paused ? adopted : withState(adopted, { Paused: frozen });
  if (now !== container) await store.update(now);
  const life = lives.of(id);
  life.held = await hold(parts, now);
  if ("exitCode" in one) return processEnded(parts, one);
  watchHealth(parts, now);
  life.health?.pause(frozen);
}

/** The exit was taken in before a crash, and only not acknowledged. */
function isApplied({ Running, Restarting, FinishedAt }: StoredState, { atNs }: Exit): boolean {
  return (!Running || Restarting) && FinishedAt === rfc3339(atNs);
}

/** A crash may have come before its start was written. */
function isKnown({ stored: { State } }: Container, one: Supervised): boolean {
  return State.Running && !State.Restarting && ("exitCode" in one || State.Pid === one.pid);
}

/** What its start had written beside it is found where it always is. */
async function started(parts: ContainerParts, container: Container, one: Supervised): Promise<Container> {
  const { store, attachments } = parts;
  const place = await attachments.restored(container.stored.ID);
  const directory = store.pathOf(container.stored.ID);
  const there = (name: string) => (existsSync(join(directory, name)) ? join(directory, name) : "");
  const { pid, startedAtNs } = "exitCode" in one ? { pid: 0, startedAtNs: one.startedAtNs ?? one.atNs } : one;
  return withStored(withState(container, running(pid, startedAtNs)), {
    HasBeenStartedBefore: true,
    HasBeenManuallyStopped: false,
    ...(place && { NetworkSettings: sandboxed(place, pid) }),
    LogPath: there(`${container.stored.ID}-json.log`),
    ...{ HostnamePath: there("hostname"), HostsPath: there("hosts"), ResolvConfPath: there("resolv.conf") },
  });
}

/** Bundles of starts that a crash cut short before the supervisor was asked, and what else has stayed in them. */
async function sweepBundles(parts: ContainerParts, supervised: readonly Supervised[]): Promise<void> {
  const running = new Set(supervised.filter((one) => !("exitCode" in one)).map(({ id }) => id));
  const directory = bundleOf(parts, "");
  const ids = await readdir(directory).catch((error) => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  for (const id of ids) if (!running.has(id)) await rm(join(directory, id), { recursive: true, force: true });
}

/** It ran when the machine stopped, or under an engine that is no more. */
async function settleUnseen(parts: ContainerParts, id: string): Promise<void> {
  const container = parts.store.byID(id);
  if (!container) return;
  const { State: state } = container.stored;
  if (!state.Running || state.Restarting || isRun(id, state.Pid)) return;
  await settle(parts, container, { exitCode: state.ExitCode || 137 });
}

/**
 * What a daemon does besides: it starts again what waits for that, and what has a restart policy that says so after
 * the machine was off; and removes what was to be removed when it ended.
 */
export function startByPolicy(parts: ContainerParts): void {
  const { store, lives, report } = parts;
  for (const container of store.list()) {
    const { ID: id, State: state, HasBeenStartedBefore: ran, HasBeenManuallyStopped: manually } = container.stored;
    if (state.Running && !state.Restarting) continue;
    const policy = container.host.RestartPolicy?.Name;
    const failed = policy === "on-failure" && state.ExitCode !== 0;
    const wanted = policy === "always" || ((policy === "unless-stopped" || failed) && !manually);
    if (state.Restarting) later(parts, id, 0);
    else if (ran && wanted) {
      const starting = lives.turn(id, async () => {
        const now = store.byID(id);
        if (now && !now.stored.State.Running) await run(parts, now, { anew: true });
      });
      starting.catch((error) => report(`container ${id} cannot be started again: ${messageOf(error)}`));
    } else if (ran && container.host.AutoRemove) {
      const removing = lives.turn(id, async () => {
        const now = store.byID(id);
        if (now && !now.stored.State.Running) await bury(parts, now, true);
      });
      removing.catch((error) => report(`container ${id} cannot be removed: ${messageOf(error)}`));
    }
  }
}
