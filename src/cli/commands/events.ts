import { Command } from "commander";
import type { Identity } from "../../daemon/index.js";
import type { EventMessage } from "../../engine/index.js";
import { rfc3339 } from "../../spec/index.js";
import type { Client, Query } from "../client.js";
import { connect } from "../connect.js";
import { filtersText } from "../filters.js";
import { moment } from "../moment.js";
import { type Format, formatOption, print } from "../print.js";
import { alone } from "../session.js";
import { collect } from "../settings.js";

interface Options {
  readonly since?: string;
  readonly until?: string;
  readonly filter?: readonly string[];
  readonly format?: Format;
}

export function eventsCommand(): Command {
  return new Command("events")
    .description("show what happens, as it happens")
    .option("--since <time>", "from then on: seconds since 1970, a time, or how long ago (10m)")
    .option("--until <time>", "until then")
    .option("-f, --filter <key=value>", "type, event, container, image and so on; may be repeated", collect)
    .addOption(formatOption())
    .action(
      alone<Options>(async ({ settings, options, interrupt }) => {
        const until = moment(options.until);
        const filters = filtersText(options.filter);
        // A daemon that ends with another command is no reason to stop watching.
        for (let since = moment(options.since), lasting = false; !lasting; since = undefined) {
          const connection = await connect(settings, interrupt.stop);
          try {
            const { Lasting } = await connection.client.get<Identity>("/layerkit");
            await show(connection.client, { since, until, filters }, options);
            lasting = Lasting || until !== undefined;
          } finally {
            await connection.end(interrupt.hurry);
          }
        }
      }),
    );
}

async function show(client: Client, query: Query, { format }: Options): Promise<void> {
  const reply = await client.send("GET", "/events", { query });
  for await (const line of reply.texts()) await print(format === "json" ? line : described(line));
}

function described(line: string): string {
  const { Type, Action, Actor }: EventMessage = JSON.parse(line);
  // Parsed as a number it would lose its last digits.
  const [, timeNano = "0"] = /"timeNano":(\d+)/.exec(line) ?? [];
  const attributes = Object.entries(Actor.Attributes).map(([key, value]) => `${key}=${value}`);
  const about = attributes.length > 0 ? ` (${attributes.sort().join(", ")})` : "";
  return `${rfc3339(BigInt(timeNano))} ${Type} ${Action} ${Actor.ID}${about}`;
}
