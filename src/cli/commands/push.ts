import { Command } from "commander";
import type { ProgressMessage } from "../../engine/index.js";
import { familiarName, goJSON, parseReference, type Reference, withDefaultTag } from "../../spec/index.js";
import { type Client, pathPart } from "../client.js";
import { WrongUsage } from "../failure.js";
import { type Format, formatOption, print } from "../print.js";
import { showProgress, untilFailure } from "../progress.js";
import { wholeName } from "../pull.js";
import { authHeader } from "../registry-auth.js";
import { talking } from "../session.js";

interface Options {
  readonly allTags?: boolean;
  readonly quiet?: boolean;
  readonly format?: Format;
}

export function pushCommand(): Command {
  return new Command("push")
    .description("bring an image to its registry")
    .argument("<name[:tag]>", "latest when no tag is given")
    .option("-a, --all-tags", "all tags of the repository")
    .option("-q, --quiet", "only the image's whole name")
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, args: [name = ""], options: { allTags, quiet, format } }) => {
        const ref = wanted(name, allTags);
        const shown = !quiet && format !== "json";
        if (shown && !allTags && parseReference(name).tag === undefined) await print("Using default tag: latest");
        const messages = await push(client, ref);
        if (shown) return await showProgress(messages);
        for await (const message of untilFailure(messages)) if (!quiet) await print(goJSON(message));
        if (quiet) await print(wholeName(ref));
      }),
    );
}

function wanted(name: string, allTags = false): Reference {
  const ref = parseReference(name);
  if (!allTags) return withDefaultTag(ref);
  if (ref.tag === undefined && ref.digest === undefined) return ref;
  throw new WrongUsage(`${name} has a tag: with --all-tags name the repository alone`);
}

async function push(client: Client, ref: Reference): Promise<AsyncIterable<ProgressMessage>> {
  const name = ref.digest ? `${familiarName(ref)}@${ref.digest}` : familiarName(ref);
  const options = { query: { tag: ref.tag }, headers: await authHeader(ref) };
  return (await client.send("POST", `/images/${pathPart(name)}/push`, options)).lines<ProgressMessage>();
}
