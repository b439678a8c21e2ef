import { Command } from "commander";
import { defaultSocket, Log, serve } from "../../daemon/index.js";
import { alone } from "../session.js";
import { addGlobals, engineOptions } from "../settings.js";

/** How long running requests may take after a signal to stop. */
const graceMs = 15_000;

export function serveCommand(): Command {
  return addGlobals(new Command("serve"))
    .description("serve the Docker Engine API until told to stop")
    .action(
      alone(async ({ settings, interrupt }) => {
        process.umask(0o022);
        const log = new Log({ debug: settings.debug });
        const [first = defaultSocket(), ...others] = settings.sockets;
        const daemon = await serve({ ...engineOptions(settings), sockets: [first, ...others], log, lasting: true });
        for (const path of [first, ...others]) log.info("API listen on", { socket: path });
        log.info("ready", { root: settings.root, pid: process.pid });
        await fired(interrupt.stop);
        log.info("stopping", { signal: interrupt.signal });
        await daemon.close(graceMs, interrupt.hurry);
        log.info("stopped");
      }),
    );
}

async function fired(signal: AbortSignal): Promise<void> {
  // A pending promise does not keep the process alive; the sockets do.
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
