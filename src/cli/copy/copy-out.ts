import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { untar } from "../../archive/index.js";
import type { PathStat } from "../../engine/index.js";
import { encodeName, isErrno, NotFound } from "../../spec/index.js";
import type { Session } from "../session.js";
import { output } from "../streams.js";
import { LocalWriter } from "./local-writer.js";
import {
  archiveOf,
  type CopyOptions,
  isDirectory,
  isSymlink,
  lastName,
  type Place,
  statAt,
  statIn,
  wantsContents,
} from "./place.js";

/**
 * Copies a file or tree out of a container to a local path, or as a tar to standard output for `-`, by the rules of
 * `docker cp`: into a directory that is there, else under the name given.
 */
export async function copyOut({ client, options }: Session<CopyOptions>, place: Place, target: string): Promise<void> {
  const source = options.followLink ? await behindLink(client, place) : place;
  const fetch = () => client.send("GET", archiveOf(source), { query: { path: source.path } });
  if (target === "-") return await output(undefined, async () => (await fetch()).body);
  const reply = await fetch();
  const info = statIn(reply.headers["x-docker-container-path-stat"]);
  const root = await landing(target, place.path, info);
  // What is copied into a directory that was there does not change the directory itself.
  const keepRoot = root === resolve(target) && (await kindOf(root)) === "directory";
  const writer = new LocalWriter(encodeName(root), { owners: options.archive ?? false, keepRoot });
  for await (const entry of untar(reply.body)) await writer.write(entry);
  await writer.finish();
}

async function behindLink(client: Session<CopyOptions>["client"], place: Place): Promise<Place> {
  const info = await statAt(client, place);
  return info && isSymlink(info) ? { ...place, path: info.linkTarget } : place;
}

/** The local path that the root of the archive becomes. */
async function landing(target: string, source: string, info: PathStat): Promise<string> {
  const there = await kindOf(target);
  const name = lastName(source);
  const contents = wantsContents(source) || name === "";
  if (there === "directory") return contents && isDirectory(info) ? resolve(target) : resolve(target, name);
  if (there === "file" && isDirectory(info)) throw new Error(`cannot copy directory ${source} over the file ${target}`);
  if (there === undefined && !isDirectory(info) && target.endsWith("/"))
    throw new NotFound(`no such directory: ${target}`);
  if ((await kindOf(dirname(resolve(target)))) !== "directory")
    throw new NotFound(`no such directory: ${dirname(resolve(target))}`);
  return resolve(target);
}

async function kindOf(path: string): Promise<"directory" | "file" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "directory" : "file";
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
