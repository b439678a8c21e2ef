import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import type { RootState } from "../doctor/index.js";
import { isErrno, NotFound } from "../spec/index.js";
import { Client } from "./client.js";
import { checkDriver, connect } from "./connect.js";
import { rootSocket } from "./places.js";
import type { Settings } from "./settings.js";

/** Something that a daemon tells of its root, and that can be told of a root at rest. */
export interface Survey<T> {
  /** Of the daemon that serves the root. */
  readonly ask: (client: Client) => Promise<T>;
  /** Of the root as it lies there. */
  readonly read: (state: RootState) => Promise<T>;
  /** That reads no more than tells who needs what. */
  readonly brief?: boolean;
}

/**
 * Has the daemon that serves the data root tell something of it; where there is none the root is read as it lies there,
 * and no daemon started. A root that a dockerd or another process works on is read too, with a note on standard error.
 */
export async function surveyed<T>(
  settings: Settings,
  signal: AbortSignal,
  { ask, read, brief = false }: Survey<T>,
): Promise<T> {
  using client = await servedBy(settings, signal);
  if (client) return await ask(client);
  const { readRoot } = await import("../doctor/index.js");
  return await read(await readRoot(settings.root, settings.driver, { brief }));
}

/**
 * The daemon that serves a root, or that was named.
 *
 * @param tells whether a note is made where the root is in use by who cannot be asked
 * @returns undefined: there is none
 */
export async function servedBy(settings: Settings, signal: AbortSignal, tells = true): Promise<Client | undefined> {
  if (settings.sockets.length > 0) return (await connect(settings, signal)).client;
  if (settings.readOnly) return undefined;
  const root = await realRoot(settings.root);
  const usual = rootSocket(root);
  const quick = usual !== undefined && existsSync(usual) ? await Client.connect(usual, signal) : undefined;
  if (quick) return await ofDriver(quick, settings);
  const { dockerdOn, ownerOf } = await import("../doctor/index.js");
  const owner = await ownerOf(root);
  const client = owner?.socket === undefined ? undefined : await Client.connect(owner.socket, signal);
  if (client) return await ofDriver(client, settings);
  if (!tells) return undefined;
  const [who, holder] = owner ? ["another process", owner] : ["a running dockerd", await dockerdOn(root)];
  if (holder) note(`${root} is in use by ${who}${holder.pid === undefined ? "" : ` (process ${holder.pid})`}`);
  return undefined;
}

/** @throws Conflict: it serves the root with another driver than is asked for */
async function ofDriver(client: Client, settings: Settings): Promise<Client> {
  try {
    await checkDriver(client, settings);
    return client;
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}

async function realRoot(root: string): Promise<string> {
  return await realpath(root).catch((error) => {
    throw isErrno(error, "ENOENT") ? new NotFound(`there is no data root ${root}`, { cause: error }) : error;
  });
}

function note(line: string): void {
  process.stderr.write(`layerkit: ${line}: it is read as it is now, and may change meanwhile\n`);
}
