import { Command } from "commander";
import type { ProgressMessage } from "../../engine/index.js";
import { goJSON, parseReference } from "../../spec/index.js";
import { type Format, formatOption, print } from "../print.js";
import { showProgress, untilFailure } from "../progress.js";
import { pull, pullReference, wholeName } from "../pull.js";
import { talking } from "../session.js";

interface Options {
  readonly allTags?: boolean;
  readonly quiet?: boolean;
  readonly platform?: string;
  readonly format?: Format;
}

export function pullCommand(): Command {
  return new Command("pull")
    .description("fetch an image from its registry")
    .argument("<name[:tag|@digest]>", "latest when neither is given")
    .option("-a, --all-tags", "all tags of the repository")
    .option("-q, --quiet", "only the image's whole name")
    .option("--platform <os/arch[/variant]>", "which one, of an image for several (default: this machine's)")
    .addOption(formatOption())
    .action(
      talking<Options>(async ({ client, args: [name = ""], options }) => {
        const { allTags: all, quiet, platform, format } = options;
        const ref = pullReference(name, { all });
        const messages = await pull(client, ref, { platform });
        if (format === "json") return await printAll(messages);
        if (!quiet && ref.tag !== parseReference(name).tag) await print(`Using default tag: ${ref.tag}`);
        if (quiet) for await (const _ of untilFailure(messages));
        else await showProgress(messages);
        await print(wholeName(ref));
      }),
    );
}

async function printAll(messages: AsyncIterable<ProgressMessage>): Promise<void> {
  for await (const message of untilFailure(messages)) await print(goJSON(message));
}
