import { Engine, type EngineOptions, limitArenas } from "../engine/index.js";
import { Undo } from "../spec/index.js";
import { Daemon } from "./daemon.js";
import type { Log } from "./log.js";

export interface ServeOptions extends EngineOptions {
  /** Paths of the sockets to listen on. */
  readonly sockets: readonly string[];
  /** Descriptors of listening sockets that were handed over. */
  readonly activated?: readonly number[];
  readonly log: Log;
  readonly lasting: boolean;
}

/** Of malloc, for all threads: with more, what one has freed is memory held for nothing. */
const arenas = 2;

/**
 * Opens a data root and serves it. The first socket is announced in the root, for commands to find, unless
 * the root was opened to be read only.
 *
 * @throws as Engine.open and Listener.open do; nothing is left open then
 */
export async function serve({ sockets, activated = [], log, lasting, ...options }: ServeOptions): Promise<Daemon> {
  await using undo = new Undo();
  if (lasting) limitArenas(arenas);
  const engine = await Engine.open({ report: (line) => log.warn(line), autostart: lasting, ...options });
  undo.defer(() => engine[Symbol.asyncDispose]());
  const daemon = await Daemon.open({ engine, sockets, activated, log, lasting });
  undo.done();
  undo.defer(() => daemon.close(0));
  if (!engine.readOnly && sockets[0] !== undefined) await engine.announce(sockets[0]);
  undo.done();
  return daemon;
}
