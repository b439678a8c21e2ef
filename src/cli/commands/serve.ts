import { setFlagsFromString } from "node:v8";
import { Command } from "commander";
import { defaultSocket, rootSocket } from "../places.js";
import { alone } from "../session.js";
import { addGlobals, engineOptions, type Settings } from "../settings.js";

/** How long running requests may take after a signal to stop. */
const graceMs = 15_000;

export function serveCommand(): Command {
  return addGlobals(new Command("serve"))
    .description("serve the Docker Engine API until told to stop")
    .action(
      alone(async ({ settings, interrupt }) => {
        // Garbage is looked for before 48 MB of it have gathered: a daemon passes bytes on, little of what it makes lasts.
        setFlagsFromString("--semi-space-growth-factor=1");
        const { Log, serve } = await import("../../daemon/index.js");
        process.umask(0o022);
        const log = new Log({ debug: settings.debug });
        const sockets = socketsOf(settings);
        const daemon = await serve({ ...engineOptions(settings), sockets, log, lasting: true });
        for (const path of sockets) log.info("API listen on", { socket: path });
        log.info("ready", { root: settings.root, pid: process.pid });
        await fired(interrupt.stop);
        log.info("stopping", { signal: interrupt.signal });
        await daemon.close(graceMs, interrupt.hurry);
        log.info("stopped");
      }),
    );
}

function socketsOf({ sockets: [first = defaultSocket(), ...others], root }: Settings): [string, ...string[]] {
  const own = rootSocket(root);
  return [first, ...others, ...(own === undefined || own === first ? [] : [own])];
}

async function fired(signal: AbortSignal): Promise<void> {
  // A pending promise does not keep the process alive; the sockets do.
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
