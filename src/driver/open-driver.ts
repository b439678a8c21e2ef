import { NotImplemented } from "../spec/index.js";
import type { Driver } from "./driver.js";

export interface DriverOptions {
  /** Storage options as `--storage-opt` and daemon.json give them, `KEY=VALUE`. */
  readonly storageOptions?: readonly string[];
  /** Told one line for each thing that works less well than it could. */
  readonly warn?: (line: string) => void;
}

/** Drivers there are, in the order in which one is chosen when none is named. */
export const driverNames = ["overlay2", "vfs"] as const;

/**
 * Opens the driver's home under the data root, making it when it is not there, and checks that it can work here.
 *
 * @throws InvalidParameter: no such driver, or a bad option; Unavailable: the kernel or file system cannot do it
 */
export async function openDriver(_name: string, _dataRoot: string, _options?: DriverOptions): Promise<Driver> {
  throw new NotImplemented("openDriver");
}
