import { posix } from "node:path";
import type { PathStat } from "../../engine/index.js";
import { type Client, pathPart, ServerError } from "../client.js";

export interface CopyOptions {
  readonly archive?: boolean;
  readonly followLink?: boolean;
}

/** A path in a container. */
export interface Place {
  readonly container: string;
  readonly path: string;
}

/** Bits of Go's file mode number. @see engine-api 4.17 */
const goDirectory = 2 ** 31;
const goSymlink = 2 ** 27;

export function isDirectory({ mode }: PathStat): boolean {
  return Math.floor(mode / goDirectory) % 2 === 1;
}

export function isSymlink({ mode }: PathStat): boolean {
  return Math.floor(mode / goSymlink) % 2 === 1;
}

/** The address of a place in the API, for HEAD, GET and PUT. */
export function archiveOf({ container }: Place): string {
  return `/containers/${pathPart(container)}/archive`;
}

/** What is at a place; undefined when nothing is. */
export async function statAt(client: Client, place: Place): Promise<PathStat | undefined> {
  try {
    const reply = await client.send("HEAD", archiveOf(place), { query: { path: place.path } });
    await reply.text();
    return statIn(reply.headers["x-docker-container-path-stat"]);
  } catch (error) {
    if (error instanceof ServerError && error.status === 404) return undefined;
    throw error;
  }
}

export function statIn(header: string | string[] | undefined): PathStat {
  if (typeof header !== "string") throw new Error("the daemon did not say what it copies: no path stat in its answer");
  return JSON.parse(Buffer.from(header, "base64").toString("utf8"));
}

/** True when the path asks for what is in a directory, not for the directory: `DIR/.`. */
export function wantsContents(path: string): boolean {
  return path === "." || path.endsWith("/.");
}

/** The last name of an absolute path, `..` and slashes at its end taken away; `""` for the root. */
export function lastName(path: string): string {
  return posix.basename(posix.resolve("/", path));
}

/** The directory an absolute path is in. */
export function directoryOf(path: string): string {
  return posix.dirname(posix.resolve("/", path));
}
