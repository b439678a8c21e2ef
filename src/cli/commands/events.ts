import { Command } from "commander";
import type { EventMessage } from "../../engine/index.js";
import { goJSON, rfc3339 } from "../../spec/index.js";
import { filtersText } from "../filters.js";
import { moment } from "../moment.js";
import { type Format, formatOption, print } from "../print.js";
import { talking } from "../session.js";
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
      talking<Options>(async ({ client, options }) => {
        const query = {
          since: moment(options.since),
          until: moment(options.until),
          filters: filtersText(options.filter),
        };
        const reply = await client.send("GET", "/events", { query });
        for await (const event of reply.lines<EventMessage>())
          await print(options.format === "json" ? goJSON(event) : lineOf(event));
      }),
    );
}

function lineOf({ Type, Action, Actor, time, timeNano }: EventMessage): string {
  // The last digits of `timeNano` were lost in parsing; microseconds are right.
  const ns = BigInt(time) * 1_000_000_000n + (BigInt(Number(timeNano)) % 1_000_000_000n);
  const attributes = Object.entries(Actor.Attributes).map(([key, value]) => `${key}=${value}`);
  const about = attributes.length > 0 ? ` (${attributes.sort().join(", ")})` : "";
  return `${rfc3339(ns)} ${Type} ${Action} ${Actor.ID}${about}`;
}
