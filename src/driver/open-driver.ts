import { InvalidParameter } from "../spec/index.js";
import type { Driver, DriverOptions } from "./driver.js";
import { Overlay } from "./overlay/overlay.js";
import { parseOptions } from "./overlay2/options.js";
import { Overlay2 } from "./overlay2/overlay2.js";
import { Vfs } from "./vfs/vfs.js";

const drivers = { overlay2: Overlay2, overlay: Overlay, vfs: Vfs } as const;

/** Drivers there are, in the order in which one is chosen when none is named. */
export const driverNames = Object.keys(drivers) as readonly (keyof typeof drivers)[];

/**
 * Opens the driver's home under the data root, making it when it is not there, and checks that it can work here.
 *
 * @param dataRoot absolute path of an existing directory
 * @throws InvalidParameter: no such driver, or a bad option; Unavailable: the kernel or file system cannot do it
 */
export async function openDriver(name: string, dataRoot: string, options?: DriverOptions): Promise<Driver> {
  return drivers[known(name)].open(dataRoot, options);
}

/**
 * Says what is wrong with a driver's name or options, as far as that can be known without a data root.
 *
 * @param name without it the one that comes first
 * @throws InvalidParameter
 */
export function checkDriverOptions(name: string = driverNames[0]!, storageOptions: readonly string[] = []): void {
  if (known(name) === "overlay2") parseOptions(storageOptions);
  else if (storageOptions.length > 0) throw new InvalidParameter(`${name}: unknown option ${storageOptions[0]}`);
}

/** @throws InvalidParameter */
function known(name: string): keyof typeof drivers {
  const found = driverNames.find((driver) => driver === name);
  if (found === undefined) {
    throw new InvalidParameter(`no storage driver '${name}': there are ${driverNames.join(", ")}`);
  }
  return found;
}
