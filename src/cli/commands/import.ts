import { Command } from "commander";
import type { ProgressMessage } from "../../engine/index.js";
import { showProgress } from "../progress.js";
import { talking } from "../session.js";
import { collect } from "../settings.js";
import { input } from "../streams.js";

interface Options {
  readonly change?: readonly string[];
  readonly message?: string;
  readonly platform?: string;
}

export function importCommand(): Command {
  return new Command("import")
    .description("make an image of one layer from a tar")
    .argument("<file>", "- is standard input")
    .argument("[name[:tag]]")
    .option("-c, --change <line>", "apply a Dockerfile line, may be repeated", collect)
    .option("-m, --message <text>", "comment of the image")
    .option("--platform <os/arch>", "platform of the image")
    .action(
      talking<Options>(async ({ client, args: [file, repo], options }) => {
        const query = {
          fromSrc: "-",
          repo,
          changes: options.change,
          message: options.message,
          platform: options.platform,
        };
        const body = await input(file);
        const reply = await client.send("POST", "/images/create", { query, body });
        await showProgress(reply.lines<ProgressMessage>());
      }),
    );
}
