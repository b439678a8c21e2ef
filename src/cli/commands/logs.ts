import { Command } from "commander";
import type { ContainerInspect } from "../../engine/index.js";
import { pathPart } from "../client.js";
import { moment } from "../moment.js";
import { showOutput } from "../process/show-output.js";
import { talking } from "../session.js";

interface Options {
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly tail: string;
  readonly timestamps?: boolean;
  readonly details?: boolean;
}

export function logsCommand(): Command {
  return new Command("logs")
    .description("show what a container has written")
    .argument("<container>")
    .option("-f, --follow", "and what it writes, until it ends")
    .option("--since <time>", "from then on: seconds since 1970, a time, or how long ago (10m)")
    .option("--until <time>", "until then")
    .option("-n, --tail <n>", "the last n lines", "all")
    .option("-t, --timestamps", "with the time of each line")
    .option("--details", "with the labels and variables that the log options name")
    .action(
      talking<Options>(async ({ client, args: [name = ""], options }) => {
        const { Id, Config } = await client.get<ContainerInspect>(`/containers/${pathPart(name)}/json`);
        const { since, until, ...asked } = options;
        const query = { stdout: true, stderr: true, ...asked, since: moment(since), until: moment(until) };
        const { body } = await client.send("GET", `/containers/${Id}/logs`, { query });
        await showOutput(body, Config.Tty ?? false);
      }),
    );
}
