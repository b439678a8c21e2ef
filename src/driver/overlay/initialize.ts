import { existsSync } from "node:fs";
import { ensureDirectory } from "../../disk/index.js";
import { InvalidParameter, Unavailable } from "../../spec/index.js";
import { assertUsable } from "../checks/assert-usable.js";
import { backingFilesystem } from "../checks/backing-filesystem.js";
import { whyNoNativeDiff } from "../checks/native-diff.js";
import { featuresHere } from "../checks/overlay-probe.js";
import type { DriverOptions } from "../driver.js";
import type { OverlayFeatures } from "../mount/overlay-mount.js";

/** What the driver has found out about the place it works in. */
export interface Ready {
  readonly backing: string;
  readonly features: OverlayFeatures;
  /** An upper directory tells what was changed in its mount. */
  readonly nativeDiff: boolean;
  readonly readOnly: boolean;
}

/**
 * The checks before use, and the home.
 *
 * @throws InvalidParameter: an option; Unavailable: it cannot work here, with the remedy where there is one
 */
export async function initialize(dataRoot: string, home: string, options: DriverOptions): Promise<Ready> {
  const [option] = options.storageOptions ?? [];
  if (option !== undefined)
    throw new InvalidParameter(`overlay: unknown option ${option.split("=")[0]?.toLowerCase()}`);
  // Docker leaves `index` to the kernel here.
  const features = { ...featuresHere(), index: false };
  if (options.readOnly) {
    if (!existsSync(home)) throw new Unavailable(`there is no ${home} to be read`);
    return { backing: backingFilesystem(home), features, nativeDiff: true, readOnly: true };
  }
  const testDirectory = existsSync(home) ? home : dataRoot;
  const backing = await assertUsable(testDirectory, { driver: "overlay", features });
  await ensureDirectory(home, 0o710);
  const nativeDiff = (await whyNoNativeDiff(home, features)) === undefined;
  return { backing, features, nativeDiff, readOnly: false };
}
