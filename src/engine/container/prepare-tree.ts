import { join } from "node:path";
import { makeDirectories } from "../../disk/index.js";
import { ownersAreLimited } from "../../driver/index.js";
import { InvalidParameter, isErrno, NotFound, type Path } from "../../spec/index.js";
import { S } from "../../sys/index.js";
import { parsePath, Root } from "../copy/container-path.js";
import { statAt } from "../copy/path-stat.js";
import type { ContainerParts } from "./container-parts.js";
import type { ContainerRequest } from "./container-request.js";
import type { StoredMount } from "./stored.js";

/**
 * What dockerd does in a new container's tree: makes its working directory, and fills volumes that are still empty
 * with what the image has at their place, owner and mode of the directory included.
 *
 * @param fresh the volumes that may be filled
 * @throws InvalidParameter: a file is in the place of either
 */
export async function prepareTree(
  parts: ContainerParts,
  { id, config: { WorkingDir: directory = "" } }: ContainerRequest,
  fresh: readonly StoredMount[],
): Promise<void> {
  if (directory === "" && fresh.length === 0) return;
  await using mounted = await parts.layers.rw.mount(id);
  using root = new Root(mounted.path);
  if (directory !== "") await makeDirectory(mounted.path, root, directory);
  for (const mount of fresh) {
    await parts.turns.alone(`volume ${mount.Name}`, () => fillVolume(parts, mounted.path, root, mount));
  }
}

async function fillVolume(
  { volumes, threads }: ContainerParts,
  tree: string,
  root: Root,
  { Destination, Name }: StoredMount,
): Promise<void> {
  const base = root.follow(Destination).slice(1);
  const kind = kindAt(root, base);
  if (kind === undefined || !(await volumes.isEmpty(Name))) return;
  if (kind !== S.IFDIR) {
    throw new InvalidParameter(`cannot mount volume over existing file, file exists ${Destination}`);
  }
  const target = { ...place, root: volumes.pathOf(Name), lenient: ownersAreLimited() };
  await threads.fill({ kind: "fill", root: tree, base, target }, { label: `volume ${Name}` });
}

const place = {
  base: "",
  whiteouts: "none",
  xattrPrefix: "trusted.overlay.",
  impliedMode: 0o755,
  rootMeta: true,
} as const;

async function makeDirectory(tree: string, root: Root, directory: string): Promise<void> {
  const path = root.follow(parsePath(directory).absolute);
  try {
    await makeDirectories(join(tree, path), 0o755);
  } catch (error) {
    if (!isErrno(error, "EEXIST", "ENOTDIR")) throw error;
    throw new InvalidParameter(`Cannot mkdir: ${directory} is not a directory`, { cause: error });
  }
}

/** File type of what is at `path`; undefined when nothing is. */
function kindAt(root: Root, path: Path): number | undefined {
  try {
    return statAt(root, path, () => new NotFound(path)).mode & S.IFMT;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
