import { setFlagsFromString } from "node:v8";
import { Log, ServiceManager, serve, takeActivated } from "../../daemon/index.js";
import { checkOptions } from "../../engine/index.js";
import { cacheDirectory } from "../places.js";
import type { Alone } from "../session.js";
import { engineOptions } from "../settings.js";
import type { Hangups } from "./hangups.js";
import { reload } from "./reload.js";
import { serveSettings } from "./serve-settings.js";

type Given = Pick<Alone<unknown>, "settings" | "globals">;

interface Serving extends Given, Pick<Alone<unknown>, "interrupt"> {
  readonly hangups: Hangups;
}

/** How long running requests may take after a signal to stop. */
const graceMs = 15_000;

/** Says whether a daemon could be started with this configuration, as far as that can be known without a data root. */
export function validate({ settings: given, globals }: Given): void {
  const settings = serveSettings(given, globals);
  checkOptions(engineOptions(settings));
  for (const line of [...settings.notes, "configuration OK"]) process.stderr.write(`${line}\n`);
}

/** Serves until told to stop. */
export async function serveHere({ settings: given, globals, interrupt, hangups }: Serving): Promise<void> {
  // Garbage is looked for before 48 MB of it have gathered: a daemon passes bytes on, little of what it makes lasts.
  setFlagsFromString("--semi-space-growth-factor=1");
  // In threads the old is looked through from 8 MB on, not from 128: what has grown old there is garbage as well.
  setFlagsFromString("--initial-old-space-size=8");
  process.umask(0o022);
  let settings = serveSettings(given, globals);
  const { listen, level, root } = settings;
  const log = new Log({ level });
  const manager = ServiceManager.take((error) => log.warn("the service manager is not told", { error: error.message }));
  for (const note of settings.notes) log.warn(note);
  const activated = settings.activated ? takeActivated() : [];
  const options = { ...engineOptions(settings), cacheDirectory: cacheDirectory() };
  const daemon = await serve({ ...options, sockets: listen, activated, log, lasting: true });
  for (const socket of [...listen, ...activated.map((fd) => `fd://${fd}`)]) log.info("API listen on", { socket });
  log.info("ready", { root, pid: process.pid });
  manager.tell("READY=1");
  hangups.begin(async () => {
    manager.tell("RELOADING=1");
    settings = await reload(daemon, settings, globals, log);
    manager.tell("READY=1");
  });
  await fired(interrupt.stop);
  manager.tell("STOPPING=1");
  log.info("stopping", { signal: interrupt.signal });
  await daemon.close(graceMs, interrupt.hurry);
  log.info("stopped");
}

async function fired(signal: AbortSignal): Promise<void> {
  // A pending promise does not keep the process alive; the sockets do.
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
