import { Command } from "commander";
import { print } from "../print.js";
import { talking } from "../session.js";
import { collect } from "../settings.js";
import { target } from "./tag.js";

interface Options {
  readonly author?: string;
  readonly message?: string;
  readonly change?: readonly string[];
  readonly pause: boolean;
}

export function commitCommand(): Command {
  return new Command("commit")
    .description("make an image of a container")
    .argument("<container>")
    .argument("[name[:tag]]")
    .option("-a, --author <text>", "who made it")
    .option("-m, --message <text>", "what it is")
    .option("-c, --change <line>", "apply a Dockerfile line, may be repeated", collect)
    .option("--no-pause", "do not pause a running container meanwhile")
    .action(
      talking<Options>(async ({ client, args: [container, name], options }) => {
        const { author, message: comment, change: changes, pause } = options;
        const named = name === undefined ? {} : target(name);
        const query = { container, ...named, author, comment, changes, pause: pause ? undefined : "0" };
        await print((await client.post<{ Id: string }>("/commit", { query })).Id);
      }),
    );
}
