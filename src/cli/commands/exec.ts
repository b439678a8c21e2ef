import { Command } from "commander";
import type { ExecCreateBody, ExecInspect } from "../../engine/index.js";
import { usualDetachKeys } from "../../spec/index.js";
import { pathPart } from "../client.js";
import { addFlags, putFlags } from "../flags/flag.js";
import { executionFlags } from "../flags/process.js";
import { attach } from "../process/attachment.js";
import { keysOf } from "../process/detach-keys.js";
import { stayed } from "../process/run-attached.js";
import { assertTerminal, tellSize, terminalSize } from "../process/terminal.js";
import { type Session, talking } from "../session.js";

interface Options {
  readonly detach?: boolean;
  readonly detachKeys: string;
  readonly interactive?: boolean;
  readonly privileged?: boolean;
  readonly [flag: string]: unknown;
}

export function execCommand(): Command {
  const command = new Command("exec")
    .description("run a program in a running container; the exit status is the program's")
    .argument("<container>")
    .argument("<command...>")
    .passThroughOptions()
    .option("-d, --detach", "leave it running")
    .option("--detach-keys <keys>", "what to type to leave it running", usualDetachKeys)
    .option("-i, --interactive", "give it standard input")
    .option("--privileged", "give it all rights");
  return addFlags(command, executionFlags).action(
    talking<Options>(
      async (session) => {
        process.exitCode = await exec(session);
      },
      { connections: 2 },
    ),
  );
}

async function exec({ client, args: [name = "", ...Cmd], options, signal }: Session<Options>): Promise<number> {
  const { detach = false, privileged = false } = options;
  const keys = keysOf(options.detachKeys);
  const stdin = (options.interactive ?? false) && !detach;
  const shown = { AttachStdin: stdin, AttachStdout: !detach, AttachStderr: !detach };
  const body: ExecCreateBody = { Cmd, ...shown, Detach: detach, DetachKeys: keys.text, Privileged: privileged };
  const { Tty: tty = false } = putFlags(body, executionFlags, options);
  if (!detach) assertTerminal({ tty, stdin });
  const size = tty ? terminalSize() : undefined;
  if (size) body.ConsoleSize = [size.h, size.w];
  const { Id } = await client.post<{ Id: string }>(`/containers/${pathPart(name)}/exec`, { json: body });
  const start = { json: { Detach: detach, Tty: tty } };
  if (detach) {
    await client.tell("POST", `/exec/${Id}/start`, start);
    return 0;
  }
  const connection = await client.hijack(`/exec/${Id}/start`, start);
  const resize = ({ h, w }: { h: number; w: number }) => client.tell("POST", `/exec/${Id}/resize`, { query: { h, w } });
  using _ = tty ? tellSize(resize) : undefined;
  stayed(await attach(connection, { tty, stdin, keys }, signal));
  return (await client.get<ExecInspect>(`/exec/${Id}/json`)).ExitCode ?? 0;
}
