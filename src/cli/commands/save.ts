import { Command } from "commander";
import { talking } from "../session.js";
import { output } from "../streams.js";

export function saveCommand(): Command {
  return new Command("save")
    .description("write images to an archive that docker load takes")
    .argument("<image...>")
    .option("-o, --output <file>", "write this file, not standard output")
    .action(
      talking<{ output?: string }>(async ({ client, args, options }) => {
        await output(
          options.output,
          async () => (await client.send("GET", "/images/get", { query: { names: args } })).body,
        );
      }),
    );
}
