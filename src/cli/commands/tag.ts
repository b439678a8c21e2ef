import { Command } from "commander";
import { familiarName, parseReference } from "../../spec/index.js";
import { pathPart } from "../client.js";
import { WrongUsage } from "../failure.js";
import { talking } from "../session.js";

export function tagCommand(): Command {
  return new Command("tag")
    .description("give an image another name")
    .argument("<image>")
    .argument("<name[:tag]>")
    .action(
      talking(async ({ client, args: [image = "", name = ""] }) => {
        await client.tell("POST", `/images/${pathPart(image)}/tag`, { query: target(name) });
      }),
    );
}

/** A new name as the query of tag and commit has it. @throws WrongUsage: it has a digest */
export function target(name: string): { repo: string; tag: string } {
  const reference = parseReference(name);
  if (reference.digest) throw new WrongUsage(`${name}: an image cannot be named by digest`);
  return { repo: familiarName(reference), tag: reference.tag ?? "latest" };
}
