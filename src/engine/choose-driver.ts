import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  checkDriverOptions,
  type Driver,
  type DriverOptions,
  driverNames,
  openDriver,
  type Survey,
  survey,
} from "../driver/index.js";
import { InvalidParameter, isErrno, messageOf, Unavailable } from "../spec/index.js";

/** Names of storage drivers' homes that Docker has had, in its order of preference. */
const dockerDrivers = ["btrfs", "zfs", "overlay2", "fuse-overlayfs", "aufs", "overlay", "devicemapper"];

export interface DriverChoice extends DriverOptions {
  /** Without it the one whose data the root has, else the first of `driverNames` that works here. */
  readonly driver?: string;
}

/**
 * Opens the storage driver of a data root: the one that is named, else the one whose data the root has; whatever
 * keeps either from working is final. A root without data gets the first that works. @see docker-data-root 1.2
 *
 * @throws InvalidParameter: no such driver, a bad option, data of several drivers, or of one that is not known here;
 * Unavailable: the kernel or the file system cannot do it
 */
export async function chooseDriver(root: string, { driver, ...options }: DriverChoice): Promise<Driver> {
  const name = driver ?? (await priorDriver(root));
  return await (name === undefined ? firstThatWorks(root, options) : openDriver(name, root, options));
}

/** What a data root would find in a place, before anything of it is there. */
export interface RootSurvey extends Survey {
  /** The driver that would be taken; undefined when none works, or not the one that it has to be. */
  readonly driver?: string;
}

/**
 * Does the checks of all drivers, and says which one `chooseDriver` would take.
 *
 * @param dir where the data root is, or is to be
 * @throws InvalidParameter: as `chooseDriver`
 */
export async function surveyRoot(dir: string, { driver, storageOptions = [] }: DriverChoice = {}): Promise<RootSurvey> {
  if (driver !== undefined) checkDriverOptions(driver, storageOptions);
  const wanted = driver ?? (await priorDriver(dir).catch(ifHidden));
  // A driver's home may be a file system of its own.
  const found = await survey(join(dir, wanted ?? driverNames[0]!), storageOptions);
  const taken = found.drivers.find(({ name, obstacles }) => obstacles.length === 0 && name === (wanted ?? name));
  return { ...found, ...(taken && { driver: taken.name }) };
}

/** What cannot be read will not be written to either, which is for the checks to say. */
function ifHidden(error: unknown): undefined {
  if (!isErrno(error, "EACCES")) throw error;
}

async function firstThatWorks(root: string, options: DriverOptions): Promise<Driver> {
  const refusals: string[] = [];
  for (const name of driverNames) {
    try {
      const driver = await openDriver(name, root, options);
      if (refusals.length > 0) options.warn?.(`${refusals.join("; ")}: using ${name} instead`);
      return driver;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      refusals.push(messageOf(error));
    }
  }
  throw new Unavailable(`no storage driver works on ${root}: ${refusals.join("; ")}`);
}

/** The driver whose data the root has. `vfs` counts only when there is no other: dockerd never counts it. */
async function priorDriver(root: string): Promise<string | undefined> {
  const isPrior = async (name: string) => ((await hasData(join(root, name))) ? [name] : []);
  const found = (await Promise.all(dockerDrivers.map(isPrior))).flat();
  if (found.length > 1) {
    const what = "name the one to use by --storage-driver, or move the others away";
    throw new InvalidParameter(`${root} contains several valid graphdrivers: ${found.join(", ")}; ${what}`);
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
