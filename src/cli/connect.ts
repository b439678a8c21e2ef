import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Daemon, Identity } from "../daemon/index.js";
import type { Owner } from "../engine/index.js";
import { Conflict, Unavailable, Undo } from "../spec/index.js";
import { Client } from "./client.js";
import { WrongUsage } from "./failure.js";
import { activated, rootSocket } from "./places.js";
import { engineOptions, type Settings } from "./settings.js";

/** A way to the daemon of a data root. `end` closes it, and the daemon too if it was started for this command. */
export interface Connection {
  readonly client: Client;
  end(now: AbortSignal): Promise<void>;
}

/** How long to wait for a process that holds the root and does not answer: starting up, or winding down. */
const patienceMs = 60_000;

/**
 * Finds the daemon that serves the data root, or starts one inside this process for the life of the command. Of two
 * commands that find nobody, one becomes the owner and the other its client; one that comes while an owner is leaving
 * waits until the root is free.
 *
 * @param connections how many requests the command makes at once
 * @throws Unavailable: the root is held by a process that does not answer, or by dockerd
 */
export async function connect(settings: Settings, signal: AbortSignal, connections = 1): Promise<Connection> {
  const [socket, another] = settings.sockets;
  if (another !== undefined) throw new WrongUsage("several -H are for serve: a command talks to one daemon");
  if (socket === activated) throw new WrongUsage("-H fd:// is for serve: a command talks to -H unix:///PATH");
  const connection = await found(settings, socket, { signal, connections });
  try {
    await checkDriver(connection.client, settings);
    return connection;
  } catch (error) {
    await connection.end(signal);
    throw error;
  }
}

interface Wanted {
  readonly signal: AbortSignal;
  readonly connections: number;
}

async function found(settings: Settings, socket: string | undefined, wanted: Wanted): Promise<Connection> {
  if (socket !== undefined) return await toSocket(socket, wanted);
  return await (settings.readOnly ? ownDaemon(settings, wanted) : toOwner(settings, wanted));
}

function reach(socket: string, { signal, connections }: Wanted): Promise<Client | undefined> {
  return Client.connect(socket, signal, connections);
}

async function toSocket(socket: string, wanted: Wanted): Promise<Connection> {
  const client = await reach(socket, wanted);
  if (!client)
    throw new Unavailable(`no daemon answers on ${socket}: start one with layerkit -H unix://${socket} serve`);
  return clientOnly(client);
}

async function toOwner(settings: Settings, wanted: Wanted): Promise<Connection> {
  const usual = rootSocket(settings.root);
  const quick = usual === undefined ? undefined : await reach(usual, wanted);
  if (quick) return clientOnly(quick);
  const { ownerOf } = await import("../engine/index.js");
  const deadline = Date.now() + patienceMs;
  for (let waitMs = 5, unowned = 0; ; waitMs = Math.min(waitMs * 2, 250)) {
    const owner = await ownerOf(settings.root);
    const client = owner?.socket === undefined ? undefined : await reach(owner.socket, wanted);
    if (client) return clientOnly(client);
    if (!owner) {
      // Who was just faster may already be gone again; dockerd is not.
      unowned += 1;
      const own = await startOwn(settings, wanted, unowned < mostUnowned);
      if (own) return own;
    } else {
      unowned = 0;
      if (Date.now() > deadline)
        throw new Unavailable(`data root ${settings.root} is held by ${holder(owner)}, which does not answer`);
    }
    await sleep(waitMs, undefined, { signal: wanted.signal });
  }
}

/** How often in a row the root may be held by nobody known when it is opened, and by somebody a moment later. */
const mostUnowned = 5;

/** @returns undefined, when that is `lenient`ly taken, if the root is held by somebody else */
async function startOwn(settings: Settings, wanted: Wanted, lenient: boolean): Promise<Connection | undefined> {
  try {
    return await ownDaemon(settings, wanted);
  } catch (error) {
    if (lenient && error instanceof Unavailable) return undefined;
    throw error;
  }
}

/** Starts a daemon inside this process, for the life of the command. */
async function ownDaemon(settings: Settings, wanted: Wanted): Promise<Connection> {
  const { Log, serve } = await import("../daemon/index.js");
  // A command says itself what failed; its inner daemon only speaks when debugging.
  const log = settings.debug ? new Log({ level: "debug" }) : new Log({ write: () => {} });
  const place = await socketPlace(settings);
  await using undo = new Undo();
  undo.defer(() => place.remove());
  const options = { ...engineOptions(settings), report: note, log, lasting: false };
  const daemon = await serve({ ...options, sockets: [place.path] });
  undo.defer(() => daemon.close(0));
  const client = await reach(place.path, wanted);
  if (!client) throw new Unavailable(`the daemon inside this command does not answer on ${place.path}`);
  undo.done();
  const end = async (now: AbortSignal) => {
    await endOwn(client, daemon, wanted.signal, now);
    await place.remove();
  };
  return { client, end };
}

/** Where the inner daemon listens: in the root, for others to find, or in a directory of its own where it may not. */
async function socketPlace({ root, readOnly }: Settings): Promise<{ path: string; remove(): Promise<void> }> {
  const path = readOnly ? undefined : rootSocket(root);
  if (path !== undefined) return { path, remove: async () => {} };
  const directory = await mkdtemp(join(tmpdir(), "layerkit-"));
  return { path: join(directory, "sock"), remove: () => rm(directory, { recursive: true, force: true }) };
}

const staying = "staying for other commands that use this one's daemon; interrupt again to end them";

/** Commands that came in meanwhile are served to their end. Who waits at a terminal, or interrupts, is told so. */
async function endOwn(client: Client, daemon: Daemon, stop: AbortSignal, now: AbortSignal): Promise<void> {
  client[Symbol.dispose]();
  const tell = () => note(daemon.clients > 0 ? staying : "undoing what was not finished");
  const timer = setTimeout(() => {
    if (process.stderr.isTTY || stop.aborted) tell();
    else stop.addEventListener("abort", tell, { once: true });
  }, 1000);
  await daemon.drain(now);
  clearTimeout(timer);
  stop.removeEventListener("abort", tell);
}

function clientOnly(client: Client): Connection {
  return { client, end: async () => client[Symbol.dispose]() };
}

function holder(owner: Owner | undefined): string {
  return owner?.pid === undefined ? "another process" : `process ${owner.pid}`;
}

/** @throws Conflict: it serves the root with another driver than is asked for */
export async function checkDriver(client: Client, { driver }: Settings): Promise<void> {
  if (driver === undefined) return;
  const identity = await client.get<Identity>("/layerkit");
  if (identity.Driver !== driver)
    throw new Conflict(`data root ${identity.Root} is served with storage driver ${identity.Driver}, not ${driver}`);
}

function note(line: string): void {
  process.stderr.write(`layerkit: ${line}\n`);
}
