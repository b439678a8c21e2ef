import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Driver, type DriverOptions, driverNames, openDriver } from "../driver/index.js";
import { InvalidParameter, isErrno, messageOf, Unavailable } from "../spec/index.js";

/** Names of storage drivers' homes that Docker has had, in its order of preference. */
const dockerDrivers = ["btrfs", "zfs", "overlay2", "fuse-overlayfs", "aufs", "overlay", "devicemapper"];
const first = "overlay2";

export interface DriverChoice extends DriverOptions {
  /** Without it the one whose data the root has, else `overlay2`. */
  readonly driver?: string;
  /** Taken where a root without data cannot have `overlay2`. */
  readonly fallback?: string;
}

/**
 * Opens the storage driver of a data root.
 *
 * @throws InvalidParameter: no such driver, a bad option, data of several drivers, or of one that is not known here;
 * Unavailable: the kernel or the file system cannot do it
 */
export async function chooseDriver(root: string, { driver, fallback, ...options }: DriverChoice): Promise<Driver> {
  const name = driver ?? (await priorDriver(root));
  if (name !== undefined) return openDriver(name, root, options);
  try {
    return await openDriver(first, root, options);
  } catch (error) {
    if (fallback === undefined || !(error instanceof Unavailable)) throw error;
    options.warn?.(`${messageOf(error)}: using ${fallback} instead`);
    return openDriver(fallback, root, options);
  }
}

/** The driver whose data the root has. `vfs` counts only when there is no other: dockerd never counts it. */
async function priorDriver(root: string): Promise<string | undefined> {
  const isPrior = async (name: string) => ((await hasData(join(root, name))) ? [name] : []);
  const found = (await Promise.all(dockerDrivers.map(isPrior))).flat();
  if (found.length > 1) {
    const what = "name the one to use by --storage-driver, or move the others away";
    throw new InvalidParameter(`${root} contains several valid graphdrivers: ${found.join(", ")}: ${what}`);
  }
  const [name] = found.length > 0 ? found : await isPrior("vfs");
  if (name === undefined || (driverNames as readonly string[]).includes(name)) return name;
  throw new InvalidParameter(
    `${root} has data of the storage driver ${name}, which is not supported: there are ${driverNames.join(", ")}`,
  );
}

async function hasData(home: string): Promise<boolean> {
  try {
    return (await readdir(home)).length > 0;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
