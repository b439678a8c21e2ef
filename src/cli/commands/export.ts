import { Command } from "commander";
import { pathPart } from "../client.js";
import { talking } from "../session.js";
import { output } from "../streams.js";

export function exportCommand(): Command {
  return new Command("export")
    .description("write a container's file system to a tar")
    .argument("<container>")
    .option("-o, --output <file>", "write this file, not standard output")
    .action(
      talking<{ output?: string }>(async ({ client, args: [name = ""], options }) => {
        const path = `/containers/${pathPart(name)}/export`;
        await output(options.output, async () => (await client.send("GET", path)).body);
      }),
    );
}
