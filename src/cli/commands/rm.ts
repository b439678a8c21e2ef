import { Command } from "commander";
import { pathPart, ServerError } from "../client.js";
import { each } from "../failure.js";
import { print } from "../print.js";
import { talking } from "../session.js";

interface Options {
  readonly force?: boolean;
  readonly volumes?: boolean;
}

export function rmCommand(): Command {
  return new Command("rm")
    .description("remove containers")
    .argument("<container...>")
    .option("-f, --force", "also running ones; a missing one is no failure")
    .option("-v, --volumes", "with their anonymous volumes")
    .action(
      talking<Options>(async ({ client, args, options: { force, volumes } }) => {
        await each(args, async (name) => {
          try {
            await client.tell("DELETE", `/containers/${pathPart(name)}`, { query: { force, v: volumes } });
            await print(name);
          } catch (error) {
            if (!(force && error instanceof ServerError && error.status === 404)) throw error;
            process.stderr.write(`layerkit: ${error.message}\n`);
          }
        });
      }),
    );
}
