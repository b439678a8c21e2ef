import { Command } from "commander";
import type { FilesystemChange } from "../../engine/index.js";
import { pathPart } from "../client.js";
import { print } from "../print.js";
import { talking } from "../session.js";

const letters = { 0: "C", 1: "A", 2: "D" };

export function diffCommand(): Command {
  return new Command("diff")
    .description("list what a container changed (C), added (A) or deleted (D)")
    .argument("<container>")
    .action(
      talking(async ({ client, args: [name = ""] }) => {
        const changes = await client.get<FilesystemChange[] | null>(`/containers/${pathPart(name)}/changes`);
        await print(...(changes ?? []).map(({ Kind, Path }) => `${letters[Kind]} ${Path}`));
      }),
    );
}
