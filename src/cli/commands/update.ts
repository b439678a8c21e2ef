import { Command } from "commander";
import type { HostConfig } from "../../engine/index.js";
import { pathPart } from "../client.js";
import { each, WrongUsage } from "../failure.js";
import { addFlags, putFlags } from "../flags/flag.js";
import { resourceFlags } from "../flags/resources.js";
import { print } from "../print.js";
import { talking } from "../session.js";

export function updateCommand(): Command {
  const command = new Command("update")
    .description("change what containers may use, and when they are started again")
    .argument("<container...>");
  return addFlags(command, resourceFlags).action(
    talking<Record<string, unknown>>(async ({ client, args, options }) => {
      const json = putFlags<HostConfig>({}, resourceFlags, options);
      if (Object.keys(json).length === 0) throw new WrongUsage("nothing to change: give one of the options");
      await each(args, async (name) => {
        const { Warnings } = await client.post<{ Warnings: string[] | null }>(`/containers/${pathPart(name)}/update`, {
          json,
        });
        for (const warning of Warnings ?? []) process.stderr.write(`layerkit: ${warning}\n`);
        await print(name);
      });
    }),
  );
}
