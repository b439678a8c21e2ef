import { Command } from "commander";
import type { ContainerInspect } from "../../engine/index.js";
import { usualDetachKeys } from "../../spec/index.js";
import { pathPart } from "../client.js";
import { each, WrongUsage } from "../failure.js";
import { print } from "../print.js";
import { keysOf } from "../process/detach-keys.js";
import { attachedConnections, runAttached, stayed } from "../process/run-attached.js";
import { assertTerminal } from "../process/terminal.js";
import { type Session, talking } from "../session.js";

interface Options {
  readonly attach?: boolean;
  readonly interactive?: boolean;
  readonly detachKeys: string;
}

export function startCommand(): Command {
  return new Command("start")
    .description("start containers")
    .argument("<container...>")
    .option("-a, --attach", "show what it writes until it ends; the exit status is the program's")
    .option("-i, --interactive", "the same, and give it what is typed")
    .option("--detach-keys <keys>", "what to type to leave it running", usualDetachKeys)
    .action(
      talking<Options>(
        async (session) => {
          const { client, args, options } = session;
          if (options.attach || options.interactive) process.exitCode = await attached(session);
          else
            await each(args, async (name) => {
              await client.tell("POST", `/containers/${pathPart(name)}/start`);
              await print(name);
            });
        },
        { connections: attachedConnections },
      ),
    );
}

async function attached(session: Session<Options>): Promise<number> {
  const { client, args, options } = session;
  const [name = "", another] = args;
  if (another !== undefined) throw new WrongUsage("only one container can be attached to");
  const keys = keysOf(options.detachKeys);
  const { Id, Config, HostConfig } = await client.get<ContainerInspect>(`/containers/${pathPart(name)}/json`);
  const { Tty: tty = false, OpenStdin = false, AttachStdout: stdout = true, AttachStderr: stderr = true } = Config;
  const stdin = (options.interactive ?? false) && OpenStdin;
  assertTerminal({ tty, stdin });
  const condition = HostConfig.AutoRemove ? "removed" : "next-exit";
  const start = () => client.tell("POST", `/containers/${Id}/start`);
  const asked = { tty, stdin, stdout, stderr, keys, proxy: !tty, condition } as const;
  return stayed(await runAttached(session, Id, asked, start));
}
