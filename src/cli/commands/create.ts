import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { ContainerCreateBody, ContainerCreated } from "../../engine/index.js";
import { type Client, type Send, ServerError } from "../client.js";
import { WrongUsage } from "../failure.js";
import { print } from "../print.js";
import { showProgress, stderr } from "../progress.js";
import { pull, pullReference } from "../pull.js";
import { talking } from "../session.js";
import { collect } from "../settings.js";

interface Options {
  readonly name?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly hostname?: string;
  readonly label?: readonly string[];
  readonly entrypoint?: string;
  readonly volume?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly network?: string;
  readonly tty?: boolean;
  readonly interactive?: boolean;
  readonly readOnly?: boolean;
  readonly rm?: boolean;
  readonly init?: boolean;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly restart?: string;
  readonly stopSignal?: string;
  readonly storageOpt?: readonly string[];
  readonly platform?: string;
  readonly pull: "missing" | "always" | "never";
}

export function createCommand(): Command {
  return new Command("create")
    .description("make a container of an image, without starting it")
    .argument("<image>")
    .argument("[command...]")
    .passThroughOptions()
    .option("--name <name>", "name of the container")
    .option("-e, --env <name=value>", "environment variable, may be repeated", collect)
    .option("--env-file <file>", "file of environment variables, may be repeated", collect)
    .option("-w, --workdir <dir>", "working directory inside")
    .option("-u, --user <user[:group]>", "who runs the command")
    .option("-h, --hostname <name>", "host name inside")
    .option("-l, --label <key=value>", "label, may be repeated", collect)
    .option("--entrypoint <program>", "in place of the image's")
    .option("-v, --volume <[source:]target[:options]>", "bind mount or volume, may be repeated", collect)
    .option("--tmpfs <dir[:options]>", "file system in memory, may be repeated", collect)
    .option("--network <name>", "network to join", "default")
    .option("-t, --tty", "give it a terminal")
    .option("-i, --interactive", "keep its standard input open")
    .option("--read-only", "mount its root file system read-only")
    .option("--rm", "remove it when it has ended")
    .option("--init", "run a small init inside")
    .option("--privileged", "give it all rights")
    .option("--cap-add <capability>", "may be repeated", collect)
    .option("--cap-drop <capability>", "may be repeated", collect)
    .option("--restart <policy>", "no, on-failure[:n], always or unless-stopped", "no")
    .option("--stop-signal <signal>", "how to ask it to end")
    .option("--storage-opt <key=value>", "storage option of its writable layer, may be repeated", collect)
    .option("--platform <os/arch>", "platform the image must have")
    .addOption(
      new Option("--pull <when>", "fetch the image first").choices(["missing", "always", "never"]).default("missing"),
    )
    .action(
      talking<Options>(async ({ client, args: [image = "", ...cmd], options }) => {
        const send = {
          query: { name: options.name, platform: options.platform },
          json: await bodyOf(image, cmd, options),
        };
        const created = await createdFrom(client, image, send, options);
        for (const warning of created.Warnings ?? []) process.stderr.write(`layerkit: ${warning}\n`);
        await print(created.Id);
      }),
    );
}

/** Fetches the image when `--pull` says so; how that goes is shown on standard error. */
async function createdFrom(client: Client, image: string, send: Send, options: Options): Promise<ContainerCreated> {
  const create = () => client.post<ContainerCreated>("/containers/create", send);
  const fetch = async () => showProgress(await pull(client, pullReference(image, {}), options), stderr);
  if (options.pull === "always") await fetch();
  try {
    return await create();
  } catch (error) {
    if (options.pull !== "missing" || !(error instanceof ServerError) || error.status !== 404) throw error;
    process.stderr.write(`Unable to find image '${image}' locally\n`);
    await fetch();
    return await create();
  }
}

async function bodyOf(image: string, cmd: string[], options: Options): Promise<ContainerCreateBody> {
  const volumes = options.volume ?? [];
  return {
    Image: image,
    ...(cmd.length > 0 && { Cmd: cmd }),
    ...(options.entrypoint !== undefined && { Entrypoint: [options.entrypoint] }),
    Env: await environment(options),
    Labels: pairs(options.label, "--label"),
    WorkingDir: options.workdir ?? "",
    User: options.user ?? "",
    ...(options.hostname !== undefined && { Hostname: options.hostname }),
    ...(options.stopSignal !== undefined && { StopSignal: options.stopSignal }),
    Tty: options.tty ?? false,
    OpenStdin: options.interactive ?? false,
    StdinOnce: options.interactive ?? false,
    AttachStdin: options.interactive ?? false,
    AttachStdout: true,
    AttachStderr: true,
    Volumes: Object.fromEntries(volumes.filter((volume) => !volume.includes(":")).map((path) => [path, {}])),
    HostConfig: {
      Binds: volumes.filter((volume) => volume.includes(":")),
      Tmpfs: Object.fromEntries((options.tmpfs ?? []).map((mount) => splitAt(mount, ":"))),
      NetworkMode: options.network ?? "default",
      ReadonlyRootfs: options.readOnly ?? false,
      AutoRemove: options.rm ?? false,
      Privileged: options.privileged ?? false,
      ...(options.init && { Init: true }),
      CapAdd: capabilities(options.capAdd),
      CapDrop: capabilities(options.capDrop),
      RestartPolicy: restartPolicy(options.restart ?? "no"),
      ...(options.storageOpt && { StorageOpt: pairs(options.storageOpt, "--storage-opt") }),
    },
  };
}

/**
 * `NAME` alone takes the value it has here. One that is not set here is left out of a file's, and stands bare among the
 * options': it takes the variable away from what the image sets.
 */
async function environment({ env = [], envFile = [] }: Options): Promise<string[]> {
  const files = await Promise.all(envFile.map((file) => readFile(file, "utf8")));
  const lines = files.flatMap((text) => text.split("\n").map((line) => line.trimStart()));
  const listed = lines.filter((line) => line !== "" && !line.startsWith("#")).map(withValue);
  return [...listed.filter((item) => item.includes("=")), ...env.map(withValue)];
}

function withValue(item: string): string {
  return item.includes("=") || process.env[item] === undefined ? item : `${item}=${process.env[item]}`;
}

function capabilities(names: readonly string[] | undefined): string[] | null {
  if (!names) return null;
  const upper = names.map((name) => name.toUpperCase());
  return upper.map((name) => (name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`));
}

function pairs(given: readonly string[] = [], option: string): Record<string, string> {
  for (const pair of given) if (pair.startsWith("=")) throw new WrongUsage(`${option} ${pair}: want KEY=VALUE`);
  return Object.fromEntries(given.map((pair) => splitAt(pair, "=")));
}

function splitAt(text: string, sign: string): [string, string] {
  const at = text.indexOf(sign);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function restartPolicy(text: string): { Name: string; MaximumRetryCount: number } {
  const [Name, count] = splitAt(text, ":");
  if (count !== "" && !/^\d+$/.test(count)) throw new WrongUsage(`--restart ${text}: want a number after the colon`);
  return { Name, MaximumRetryCount: Number(count) };
}
