import type { Command } from "commander";
import type { HostConfig } from "../../engine/index.js";
import { WrongUsage } from "../failure.js";
import type { CreateRequest } from "./create-body.js";
import { addFlags, putFlags } from "./flag.js";
import { isolationFlags } from "./isolation.js";
import { openingFlags } from "./openings.js";
import { processFlags } from "./process.js";
import { refusedFlags } from "./refused.js";
import { resourceFlags } from "./resources.js";

/** Adds the options that say what a container is like. */
export function addCreateFlags(command: Command): Command {
  return addFlags(command, processFlags, resourceFlags, isolationFlags, openingFlags, refusedFlags);
}

/** What those options ask for. @throws WrongUsage: a value that cannot be, or two that cannot be together */
export function createRequest(
  image: string,
  cmd: readonly string[],
  given: Readonly<Record<string, unknown>>,
): CreateRequest {
  const body: CreateRequest = { Image: image, HostConfig: usual() };
  if (cmd.length > 0) body.Cmd = [...cmd];
  putFlags(body, refusedFlags, given);
  putFlags(body, processFlags, given);
  putFlags(body, openingFlags, given);
  putFlags(body.HostConfig, isolationFlags, given);
  putFlags(body.HostConfig, resourceFlags, given);
  if (given.healthcheck === false) {
    if (body.Healthcheck) throw new WrongUsage("--no-healthcheck and --health-… say opposite things");
    body.Healthcheck = { Test: ["NONE"] };
  }
  const policy = body.HostConfig.RestartPolicy?.Name ?? "no";
  if (body.HostConfig.AutoRemove && policy !== "no")
    throw new WrongUsage("--rm and --restart: a container that is removed cannot be started again");
  return body;
}

function usual(): HostConfig {
  return { NetworkMode: "default", RestartPolicy: { Name: "no", MaximumRetryCount: 0 } };
}

const streams = { stdin: "AttachStdin", stdout: "AttachStdout", stderr: "AttachStderr" } as const;

/**
 * Notes which streams a client attaches to: those named, else both of output; and standard input when it is open.
 *
 * @throws WrongUsage: no such stream
 */
export function attachTo(body: CreateRequest, names: readonly string[] = []): CreateRequest {
  const output = names.length > 0 ? names.map((name) => name.toLowerCase()) : ["stdout", "stderr"];
  for (const name of body.OpenStdin ? [...output, "stdin"] : output) {
    if (!(name in streams)) throw new WrongUsage(`--attach ${name}: want stdin, stdout or stderr`);
    body[streams[name as keyof typeof streams]] = true;
  }
  body.StdinOnce = body.OpenStdin ?? false;
  return body;
}
