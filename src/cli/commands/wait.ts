import { Command } from "commander";
import type { WaitResult } from "../../engine/index.js";
import { pathPart } from "../client.js";
import { each } from "../failure.js";
import { print } from "../print.js";
import { talking } from "../session.js";

export function waitCommand(): Command {
  return new Command("wait")
    .description("wait until containers have ended, and print their exit statuses")
    .argument("<container...>")
    .action(
      talking(async ({ client, args }) => {
        await each(args, async (name) => {
          const { StatusCode, Error: error } = await client.post<WaitResult>(`/containers/${pathPart(name)}/wait`);
          if (error) throw new Error(error.Message);
          await print(String(StatusCode));
        });
      }),
    );
}
