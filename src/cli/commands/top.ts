import { Command } from "commander";
import type { TopResult } from "../../engine/index.js";
import { pathPart } from "../client.js";
import { table } from "../format/table.js";
import { print } from "../print.js";
import { talking } from "../session.js";

export function topCommand(): Command {
  return new Command("top")
    .description("list the processes of a container")
    .argument("<container>")
    .argument("[ps options...]", "as ps takes them (default: -ef)")
    .passThroughOptions()
    .allowUnknownOption()
    .action(
      talking(async ({ client, args: [name = "", ...options] }) => {
        const query = { ps_args: options.join(" ") || undefined };
        const { Titles, Processes } = await client.get<TopResult>(`/containers/${pathPart(name)}/top`, query);
        await print(...table(Titles, Processes, 20));
      }),
    );
}
