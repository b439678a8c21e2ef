import { Command } from "commander";
import { pathPart } from "../client.js";
import { talking } from "../session.js";

export function renameCommand(): Command {
  return new Command("rename")
    .description("give a container another name")
    .argument("<container>")
    .argument("<name>")
    .action(
      talking(async ({ client, args: [container = "", name] }) => {
        await client.tell("POST", `/containers/${pathPart(container)}/rename`, { query: { name } });
      }),
    );
}
