import { Command } from "commander";
import type { ProgressMessage } from "../../engine/index.js";
import { showProgress } from "../progress.js";
import { talking } from "../session.js";
import { input } from "../streams.js";

export function loadCommand(): Command {
  return new Command("load")
    .description("load images from a docker archive or OCI layout")
    .option("-i, --input <file>", "read this file, not standard input")
    .option("-q, --quiet", "no progress")
    .action(
      talking<{ input?: string; quiet?: boolean }>(async ({ client, options }) => {
        const body = await input(options.input);
        const quiet = options.quiet || !process.stdout.isTTY;
        const reply = await client.send("POST", "/images/load", { query: { quiet }, body });
        await showProgress(reply.lines<ProgressMessage>());
      }),
    );
}
