import { Command } from "commander";
import { NotFound } from "../../spec/index.js";
import { type Client, pathPart, ServerError } from "../client.js";
import { each, WrongUsage } from "../failure.js";
import { type Format, formatOption, print } from "../print.js";
import { talking } from "../session.js";

interface Options {
  readonly type?: string;
  readonly size?: boolean;
  readonly format?: Format;
}

const paths: Readonly<Record<string, (name: string) => string>> = {
  container: (name) => `/containers/${pathPart(name)}/json`,
  image: (name) => `/images/${pathPart(name)}/json`,
  network: (name) => `/networks/${pathPart(name)}`,
  volume: (name) => `/volumes/${pathPart(name)}`,
};

export function inspectCommand(): Command {
  return new Command("inspect")
    .description("show all that is known of containers, images, networks or volumes, as JSON")
    .argument("<name...>")
    .option("--type <kind>", `one of ${Object.keys(paths).join(", ")} (default: the first that has the name)`)
    .option("-s, --size", "count the sizes of containers")
    .addOption(formatOption("-f, --format <form>"))
    .action(
      talking<Options>(async ({ client, args, options }) => {
        const kinds = kindsOf(options.type);
        const found: unknown[] = [];
        try {
          await each(args, async (name) => void found.push(await inspect(client, name, kinds, options)));
        } finally {
          if (options.format === "json") await print(...found.map((value) => JSON.stringify(value)));
          else await print(JSON.stringify(found, undefined, 4));
        }
      }),
    );
}

function kindsOf(type: string | undefined): readonly string[] {
  if (type === undefined) return Object.keys(paths);
  if (!(type in paths)) throw new WrongUsage(`--type ${type}: want one of ${Object.keys(paths).join(", ")}`);
  return [type];
}

async function inspect(client: Client, name: string, kinds: readonly string[], { size }: Options): Promise<unknown> {
  for (const kind of kinds) {
    try {
      return await client.get(paths[kind]!(name), { size: kind === "container" && size });
    } catch (error) {
      if (!(error instanceof ServerError && error.status === 404)) throw error;
    }
  }
  throw new NotFound(`No such ${kinds.length === 1 ? kinds[0] : "object"}: ${name}`);
}
