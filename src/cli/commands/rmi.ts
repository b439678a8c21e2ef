import { Command } from "commander";
import { pathPart } from "../client.js";
import { each } from "../failure.js";
import { print } from "../print.js";
import { talking } from "../session.js";

interface Options {
  readonly force?: boolean;
  readonly prune: boolean;
}

export function rmiCommand(): Command {
  return new Command("rmi")
    .description("remove names of images, and images that have no name left")
    .argument("<image...>")
    .option("-f, --force", "also when containers use it or it has several names")
    .option("--no-prune", "keep untagged parents")
    .action(
      talking<Options>(async ({ client, args, options }) => {
        await each(args, async (name) => {
          const query = { force: options.force, noprune: !options.prune };
          const steps = await client.delete<Record<string, string>[]>(`/images/${pathPart(name)}`, query);
          await print(...removalLines(steps));
        });
      }),
    );
}

/** `Untagged: …` and `Deleted: …`, in the order done. */
export function removalLines(steps: readonly Record<string, string>[]): string[] {
  return steps.flatMap((step) => Object.entries(step).map(([what, name]) => `${what}: ${name}`));
}
