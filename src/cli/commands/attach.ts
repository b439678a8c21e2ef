import { Command } from "commander";
import type { ContainerInspect } from "../../engine/index.js";
import { Conflict, usualDetachKeys } from "../../spec/index.js";
import { pathPart } from "../client.js";
import { keysOf } from "../process/detach-keys.js";
import { attachedConnections, runAttached, stayed } from "../process/run-attached.js";
import { assertTerminal } from "../process/terminal.js";
import { talking } from "../session.js";

interface Options {
  readonly stdin: boolean;
  readonly detachKeys: string;
  readonly sigProxy: string;
}

export function attachCommand(): Command {
  return new Command("attach")
    .description("connect with a running container; the exit status is the program's")
    .argument("<container>")
    .option("--no-stdin", "give it nothing")
    .option("--detach-keys <keys>", "what to type to leave it running", usualDetachKeys)
    .option("--sig-proxy [yes]", "pass signals on to it", "true")
    .action(
      talking<Options>(
        async (session) => {
          const { client, args, options } = session;
          const [name = ""] = args;
          const keys = keysOf(options.detachKeys);
          const { Id, State, Config } = await client.get<ContainerInspect>(`/containers/${pathPart(name)}/json`);
          assertRuns(State);
          const { Tty: tty = false, OpenStdin = false } = Config;
          const stdin = options.stdin && OpenStdin;
          assertTerminal({ tty, stdin });
          const proxy = !tty && !["0", "false", "f"].includes(options.sigProxy);
          const asked = { tty, stdin, stdout: true, stderr: true, keys, proxy };
          process.exitCode = stayed(await runAttached(session, Id, asked));
        },
        { connections: attachedConnections },
      ),
    );
}

function assertRuns({ Running, Paused, Restarting }: ContainerInspect["State"]): void {
  if (!Running) throw new Conflict("cannot attach to a stopped container, start it first");
  if (Paused) throw new Conflict("cannot attach to a paused container, unpause it first");
  if (Restarting) throw new Conflict("cannot attach to a restarting container, wait until it is running");
}
