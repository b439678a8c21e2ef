import { lstat, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { tarOf } from "../../archive/index.js";
import type { PathStat } from "../../engine/index.js";
import { NotFound } from "../../spec/index.js";
import type { Client } from "../client.js";
import type { Session } from "../session.js";
import { input } from "../streams.js";
import { localTree } from "./local-tree.js";
import {
  archiveOf,
  type CopyOptions,
  directoryOf,
  isDirectory,
  isSymlink,
  lastName,
  type Place,
  statAt,
  wantsContents,
} from "./place.js";

/**
 * Copies a local file or tree (or a tar on standard input, for `-`) into a container, by the rules of `docker cp`:
 * into a directory that is there, under a new name into the parent of what is not.
 */
export async function copyIn({ client, options }: Session<CopyOptions>, source: string, place: Place): Promise<void> {
  const asked = { ...place, path: place.path.startsWith("/") ? place.path : `/${place.path}` };
  const target = await followed(client, asked);
  if (source === "-") return await put(client, await existing(target), await input("-"), options);
  const info = await (options.followLink || source.endsWith("/") ? stat : lstat)(source);
  const { path, name } = landing(source, info.isDirectory(), target);
  const changes = localTree(resolve(source), name, options.followLink ?? false);
  await put(client, { ...target.place, path }, tarOf(changes), options);
}

interface Target {
  readonly place: Place;
  /** What is there; absent when nothing is. */
  readonly stat: PathStat | undefined;
}

/** The place a symbolic link at the target leads to, or the target itself. */
async function followed(client: Client, place: Place): Promise<Target> {
  const stat = await statAt(client, place);
  if (!stat || !isSymlink(stat)) return { place, stat };
  const behind = { ...place, path: stat.linkTarget };
  return { place: behind, stat: await statAt(client, behind) };
}

async function existing({ place, stat }: Target): Promise<Place> {
  if (!stat || !isDirectory(stat)) throw new NotFound(`${place.path} in ${place.container} is not a directory`);
  return place;
}

/** Into which directory the archive goes, and under which name; no name: what is in the directory goes there. */
function landing(source: string, isTree: boolean, { place, stat }: Target): { path: string; name: string } {
  const { path, container } = place;
  if (stat && isDirectory(stat)) return { path, name: wantsContents(source) ? "" : lastName(resolve(source)) };
  if (stat && isTree) throw new Error(`cannot copy directory ${source} over the file ${path} in ${container}`);
  if (!stat && !isTree && path.endsWith("/")) throw new NotFound(`no such directory: ${path} in ${container}`);
  return { path: directoryOf(path), name: lastName(path) };
}

async function put(
  client: Client,
  place: Place,
  body: AsyncIterable<Uint8Array>,
  { archive }: CopyOptions,
): Promise<void> {
  const query = { path: place.path, noOverwriteDirNonDir: "true", copyUIDGID: archive };
  await client.tell("PUT", archiveOf(place), { query, body });
}
