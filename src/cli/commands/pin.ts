import { Command } from "commander";
import { type Client, pathPart } from "../client.js";
import { each } from "../failure.js";
import { print } from "../print.js";
import { talking } from "../session.js";

export function pinCommand(): Command {
  return new Command("pin")
    .description("keep images, whatever they take: neither reclaim nor the collector of a daemon removes them")
    .argument(
      "[image...]",
      "a name: whatever it names from now on; an id: this image. Without, what is pinned is listed",
    )
    .action(
      talking(async ({ client, args }) => {
        if (args.length === 0) return await print(...(await client.get<string[]>("/layerkit/pins")));
        await each(args, async (name) => await print(await changed(client, "POST", name)));
      }),
    );
}

export function unpinCommand(): Command {
  return new Command("unpin")
    .description("let images go that were pinned")
    .argument("<image...>")
    .action(
      talking(async ({ client, args }) => {
        await each(args, async (name) => await print(await changed(client, "DELETE", name)));
      }),
    );
}

async function changed(client: Client, method: string, name: string): Promise<string> {
  return (await (await client.send(method, `/layerkit/pins/${pathPart(name)}`)).json<{ Name: string }>()).Name;
}
