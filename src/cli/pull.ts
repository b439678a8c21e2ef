import type { ProgressMessage } from "../engine/index.js";
import { familiarName, familiarString, parseReference, type Reference, withDefaultTag } from "../spec/index.js";
import type { Client } from "./client.js";
import { WrongUsage } from "./failure.js";
import { authHeader } from "./registry-auth.js";

export interface PullOptions {
  readonly platform?: string | undefined;
  /** All tags of a repository. */
  readonly all?: boolean | undefined;
}

/** What to pull. @throws InvalidParameter: no name; WrongUsage: a tag, where all are meant */
export function pullReference(name: string, { all = false }: PullOptions): Reference {
  const ref = parseReference(name);
  if (!all) return withDefaultTag(ref);
  if (ref.tag === undefined && ref.digest === undefined) return ref;
  throw new WrongUsage(`${name} has a tag: with --all-tags name the repository alone`);
}

/** Has the daemon fetch an image. @returns how it goes, in Docker's messages: to be read to its end */
export async function pull(
  client: Client,
  ref: Reference,
  { platform }: PullOptions = {},
): Promise<AsyncIterable<ProgressMessage>> {
  const query = { fromImage: familiarName(ref), tag: ref.digest ?? ref.tag, platform };
  const reply = await client.send("POST", "/images/create", { query, headers: await authHeader(ref) });
  return reply.lines<ProgressMessage>();
}

/** The name with its registry. */
export function wholeName(ref: Reference): string {
  return `${ref.domain}/${ref.path}${familiarString(ref).slice(familiarName(ref).length)}`;
}
