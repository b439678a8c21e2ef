import type { ContainerCreated } from "../engine/index.js";
import { type Client, type Send, ServerError } from "./client.js";
import { showProgress, stderr, untilFailure } from "./progress.js";
import { pull, pullReference } from "./pull.js";

export interface CreateOptions {
  readonly name?: string;
  readonly platform?: string;
  readonly pull: "missing" | "always" | "never";
  readonly quiet?: boolean;
}

/** Makes a container, and fetches its image when `--pull` says so; how that goes is shown on standard error. */
export async function createContainer(
  client: Client,
  json: { Image?: string },
  options: CreateOptions,
): Promise<string> {
  const { Image: image = "" } = json;
  const { name, platform } = options;
  const created = await createdFrom(client, image, { query: { name, platform }, json }, options);
  for (const warning of created.Warnings ?? []) process.stderr.write(`layerkit: ${warning}\n`);
  return created.Id;
}

async function createdFrom(
  client: Client,
  image: string,
  send: Send,
  options: CreateOptions,
): Promise<ContainerCreated> {
  const create = () => client.post<ContainerCreated>("/containers/create", send);
  if (options.pull === "always") await fetch(client, image, options);
  try {
    return await create();
  } catch (error) {
    if (options.pull !== "missing" || !(error instanceof ServerError) || error.status !== 404) throw error;
    if (!options.quiet) process.stderr.write(`Unable to find image '${image}' locally\n`);
    await fetch(client, image, options);
    return await create();
  }
}

async function fetch(client: Client, image: string, options: CreateOptions): Promise<void> {
  const messages = await pull(client, pullReference(image, {}), options);
  if (options.quiet) for await (const _ of untilFailure(messages));
  else await showProgress(messages, stderr);
}
