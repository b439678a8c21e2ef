import { Command } from "commander";
import type { HeldMount, Identity } from "../../daemon/index.js";
import { pathPart } from "../client.js";
import { each } from "../failure.js";
import { type Format, formatOption, print, printListing } from "../print.js";
import { type Session, talking } from "../session.js";

export function mountCommand(): Command {
  return new Command("mount")
    .description("mount a container's file system and print where; without a name, list what is mounted")
    .argument("[container]")
    .addOption(formatOption())
    .action(
      talking<{ format?: Format }>(async (session) => {
        const [name] = session.args;
        if (name === undefined) await list(session);
        else await mount(session, name);
      }),
    );
}

async function list({ client, options }: Session<{ format?: Format }>): Promise<void> {
  const held = await client.get<HeldMount[]>("/layerkit/mounts");
  const rows = held.map(({ Container, Path, Count }) => ({ Container, Path, Count: String(Count) }));
  await printListing({ rows, columns: { CONTAINER: "Container", COUNT: "Count", PATH: "Path" } }, options.format);
}

/** A mount lives as long as its daemon. One that ends with its command is kept up until the user interrupts. */
async function mount({ client, signal }: Session<unknown>, name: string): Promise<void> {
  const { Lasting } = await client.get<Identity>("/layerkit");
  const json = { Container: name };
  if (Lasting) return await print((await client.post<HeldMount>("/layerkit/mounts", { json })).Path);
  const reply = await client.send("POST", "/layerkit/mounts", { query: { hold: true }, json });
  try {
    for await (const { Path } of reply.lines<HeldMount>()) {
      await print(Path);
      process.stderr.write("layerkit: no daemon serves this data root: mounted until you interrupt this command\n");
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export function umountCommand(): Command {
  return new Command("umount")
    .description("take back a mount")
    .argument("<container...>")
    .action(
      talking(async ({ client, args }) => {
        await each(args, async (name) => {
          await client.delete(`/layerkit/mounts/${pathPart(name)}`);
          await print(name);
        });
      }),
    );
}
