import { Command } from "commander";
import { usualDetachKeys } from "../../spec/index.js";
import { assertNoCidFile, writeCidFile } from "../cid-file.js";
import { pathPart } from "../client.js";
import { type CreateOptions, createContainer } from "../create.js";
import { FailedWith, WrongUsage } from "../failure.js";
import { addMakingOptions } from "../flags/common.js";
import { addCreateFlags, attachTo, createRequest } from "../flags/request.js";
import { print } from "../print.js";
import { keysOf } from "../process/detach-keys.js";
import { attachedConnections, runAttached } from "../process/run-attached.js";
import { assertTerminal, terminalSize } from "../process/terminal.js";
import { type Session, talking } from "../session.js";
import { collect } from "../settings.js";

interface Options extends CreateOptions {
  readonly cidfile?: string;
  readonly attach?: readonly string[];
  readonly detach?: boolean;
  readonly detachKeys: string;
  readonly sigProxy: string;
  readonly [flag: string]: unknown;
}

export function runCommand(): Command {
  const command = new Command("run")
    .description("make a container of an image and run it; the exit status is the program's")
    .argument("<image>")
    .argument("[command...]")
    .passThroughOptions()
    .option("-d, --detach", "leave it running and print its id")
    .option("-a, --attach <stream>", "only to stdin, stdout or stderr; may be repeated", collect)
    .option("--detach-keys <keys>", "what to type to leave it running", usualDetachKeys)
    .option("--sig-proxy [yes]", "pass signals on to it", "true");
  return addCreateFlags(addMakingOptions(command)).action(
    talking<Options>(
      async (session) => {
        process.exitCode = await run(session);
      },
      { connections: attachedConnections, failed: 125 },
    ),
  );
}

async function run(session: Session<Options>): Promise<number> {
  const { client, args, options } = session;
  const [image = "", ...cmd] = args;
  const { detach = false, cidfile } = options;
  if (detach && options.attach) throw new WrongUsage("--detach and --attach say opposite things");
  const keys = keysOf(options.detachKeys);
  const given = createRequest(image, cmd, options);
  const request = detach ? given : attachTo(given, options.attach);
  const { Tty: tty = false, AttachStdin: stdin = false } = request;
  if (!detach) assertTerminal({ tty, stdin });
  const size = tty ? terminalSize() : undefined;
  if (size) request.HostConfig.ConsoleSize = [size.h, size.w];
  assertNoCidFile(cidfile);
  const id = await createContainer(client, request, options);
  await writeCidFile(cidfile, id);
  const start = () => started(session, id);
  if (detach) {
    await start();
    await print(id);
    return 0;
  }
  const { AttachStdout: stdout = false, AttachStderr: stderr = false } = request;
  const proxy = !["0", "false", "f"].includes(options.sigProxy);
  const condition = request.HostConfig.AutoRemove ? "removed" : "next-exit";
  const outcome = await runAttached(session, id, { tty, stdin, stdout, stderr, keys, proxy, condition }, start);
  return outcome === "detached" ? 0 : outcome;
}

/** Statuses as shells have them: 127 for a program that is not there, 126 for one that cannot be run. */
async function started({ client }: Session<unknown>, id: string): Promise<void> {
  try {
    await client.tell("POST", `/containers/${pathPart(id)}/start`);
  } catch (error) {
    const { message } = error as Error;
    if (/executable file not found|no such file or directory/.test(message)) throw new FailedWith(127, error);
    if (/permission denied|is a directory/.test(message)) throw new FailedWith(126, error);
    throw error;
  }
}
