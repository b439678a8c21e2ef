import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { mountsBelow } from "../../disk/index.js";
import { pauses } from "../../driver/index.js";
import { Conflict, InvalidParameter, isErrno, NotFound } from "../../spec/index.js";
import { isBoundOnItself } from "./bound.js";
import { namesIn, nodeAt, nodesIn } from "./fact.js";
import { readBuildCache } from "./read-build-cache.js";
import { readContainers } from "./read-containers.js";
import { databasesIn, readDatabases } from "./read-databases.js";
import { readDistribution } from "./read-distribution.js";
import { hasData, homeOf, readDirectories, readLinks } from "./read-home.js";
import { readContents, readMetadata, readRepositories } from "./read-images.js";
import { keptFile, readKept } from "./read-kept.js";
import { readLayers, readMountEntries } from "./read-layerdb.js";
import { listed, type Pass, Readings } from "./readings.js";
import { type DriverName, drivers, type RootState } from "./root-state.js";
import { usedMounts } from "./used-mounts.js";

export interface ReadOptions {
  /**
   * Only what tells who needs what; what lies in directories and entries besides counts as empty, which is for who adds
   * up, and not for who judges.
   */
  readonly brief?: boolean;
  /** Of earlier times: what is `brief` is taken from them, where it was not made anew since. */
  readonly readings?: Readings;
}

/**
 * Reads a data root as it lies there, with no daemon and without changing anything.
 *
 * @param driver where the root has data of several
 * @throws NotFound: no such directory, or no data of a driver in it; Conflict: it has data of several drivers;
 * InvalidParameter: no such driver
 */
export async function readRoot(
  path: string,
  driver?: string,
  { brief = false, readings = new Readings() }: ReadOptions = {},
): Promise<RootState> {
  const root = await realpath(path).catch((error) => {
    throw isErrno(error, "ENOENT") ? new NotFound(`there is no data root ${path}`, { cause: error }) : error;
  });
  const known = brief ? readings.unchanged : undefined;
  if (known && known.root === root && known.driver === (driver ?? known.driver)) return known;
  const pass = brief ? readings.begin() : undefined;
  const state = await stateOf(root, driver, pass);
  if (pass) readings.end(pass, state);
  return state;
}

async function stateOf(root: string, driver: string | undefined, pass: Pass | undefined): Promise<RootState> {
  for (const path of [root, ...drivers.map((each) => homeOf(root, each))]) pass?.look(path);
  const [name, others] = driverOf(root, driver);
  const home = homeOf(root, name);
  const images = join(root, "image", name);
  const directories = await mapped(readDirectories(home, name, pass));
  const layerdb = join(images, "layerdb");
  const layers = await mapped(readLayers(join(layerdb, "sha256"), pass));
  const mounted = pass ? [] : mountsBelow(root);
  const imagedb = join(images, "imagedb");
  const repositories = join(images, "repositories.json");
  for (const path of [repositories, keptFile(images), join(root, "volumes"), ...databasesIn(root)]) pass?.look(path);
  return {
    ...{ root, driver: name, others, home },
    directories,
    links: await mapped(name === "overlay2" ? readLinks(home, pass) : []),
    layerdb: {
      path: layerdb,
      layers,
      mounts: await mapped(readMountEntries(join(layerdb, "mounts"), pass)),
      tmp: listed(pass, join(layerdb, "tmp")),
    },
    images: {
      path: images,
      contents: await mapped(readContents(join(imagedb, "content", "sha256"), pass)),
      metadata: await mapped(readMetadata(join(imagedb, "metadata", "sha256"), pass)),
      repositories: readRepositories(repositories),
      nodes: pass ? new Map() : nodesIn(images),
      distribution: pass ? [] : [...readDistribution(join(images, "distribution"))],
    },
    containers: await mapped(readContainers(join(root, "containers"), pass)),
    mounted,
    inUse: pass ? new Set() : usedMounts(mounted),
    node: nodeAt(root)!,
    top: pass ? new Map() : nodesIn(root),
    tmp: listed(pass, join(root, "tmp")),
    cached: readBuildCache(root, [
      ...directories.keys(),
      ...[...layers.values()].flatMap(({ chainID }) => chainID ?? []),
    ]),
    kept: readKept(images),
    isBoundOnItself: !pass && isBoundOnItself(root),
    unreadable: [...readDatabases(root)],
  };
}

/** Small files are read fastest synchronously; a daemon that is asked for this goes on answering meanwhile. */
async function mapped<V>(entries: Iterable<[string, V]>): Promise<Map<string, V>> {
  const map = new Map<string, V>();
  const rest = pauses();
  for (const [name, value] of entries) {
    map.set(name, value);
    const pause = rest();
    if (pause) await pause;
  }
  return map;
}

function driverOf(root: string, wanted: string | undefined): [DriverName, DriverName[]] {
  if (wanted !== undefined) {
    const name = drivers.find((each) => each === wanted);
    if (!name) throw new InvalidParameter(`no storage driver '${wanted}': there are ${drivers.join(", ")}`);
    return [name, drivers.filter((each) => each !== name && hasData(root, each))];
  }
  const found = drivers.filter((name) => hasData(root, name));
  // As dockerd: vfs counts only where there is no other.
  const counted = found.length > 1 ? found.filter((name) => name !== "vfs") : found;
  if (counted.length === 1) return [counted[0]!, found.filter((name) => name !== counted[0])];
  if (counted.length > 1) {
    throw new Conflict(`data root ${root} has data of ${counted.join(" and ")}: say which by --storage-driver`);
  }
  const prepared = drivers.filter((name) => nodeAt(homeOf(root, name)) || nodeAt(join(root, "image", name)));
  if (prepared[0]) return [prepared[0], []];
  const remapped = namesIn(root).find((name) => /^\d+\.\d+$/.test(name));
  const hint = remapped ? `; that of remapped users is ${join(root, remapped)}` : "";
  throw new NotFound(`${root} is no data root: it has no layers of ${drivers.join(", ")}${hint}`);
}
