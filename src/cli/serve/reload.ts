import type { Daemon, Log } from "../../daemon/index.js";
import { messageOf, NotFound } from "../../spec/index.js";
import { type Globals, settingsOf } from "../settings.js";
import { type ServeSettings, serveSettings } from "./serve-settings.js";

/** Keys that a daemon looks at when it starts, and never again. */
const lasting = ["data-root", "graph", "storage-driver", "storage-opts", "hosts"];

/**
 * Reads the configuration again and lets the daemon have what can change. Anything wrong in it, and nothing changes.
 *
 * @returns the settings from now on
 */
export async function reload(
  daemon: Daemon,
  before: ServeSettings,
  globals: Globals,
  log: Log,
): Promise<ServeSettings> {
  const file = before.config?.path;
  log.info("Got signal to reload configuration", { from: file ?? "the command line" });
  try {
    const now = serveSettings(await settingsOf(globals), globals);
    if (file !== undefined && now.config === undefined) throw new NotFound(`config file ${file} is gone`);
    daemon.reload(now.changeable, now.level);
    for (const note of now.notes) if (!before.notes.includes(note)) log.warn(note);
    const waiting = lasting.filter((key) => shown(before, key) !== shown(now, key));
    if (waiting.length > 0) log.warn("changed, but taken at the next start only", { keys: waiting.join(", ") });
    log.info("Reloaded configuration", { logging: now.level, ...now.changeable.registries });
    return now;
  } catch (error) {
    log.error("configuration not reloaded, nothing has changed", { error: messageOf(error) });
    return before;
  }
}

function shown({ config }: ServeSettings, key: string): string | undefined {
  return JSON.stringify(config?.given[key]);
}
