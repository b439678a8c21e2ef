import { existsSync } from "node:fs";
import { ensureDirectory } from "../../disk/index.js";
import { InvalidParameter, messageOf, Unavailable } from "../../spec/index.js";
import { backingFilesystem } from "../checks/backing-filesystem.js";
import { missingDType, supportsDType } from "../checks/d-type.js";
import { whyNoNativeDiff } from "../checks/native-diff.js";
import { layerByLayer, probeOverlay } from "../checks/overlay-probe.js";
import { inUserNamespace } from "../checks/user-namespace.js";
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
  const features = { index: false, userxattr: inUserNamespace(), layerByLayer: layerByLayer() };
  if (options.readOnly) {
    if (!existsSync(home)) throw new Unavailable(`there is no ${home} to be read`);
    return { backing: backingFilesystem(home), features, nativeDiff: true, readOnly: true };
  }
  const testDirectory = existsSync(home) ? home : dataRoot;
  const backing = backingFilesystem(testDirectory);
  // Before the mount, which fails without it, too, but does not say why.
  if (!(await supportsDType(testDirectory))) throw new Unavailable(missingDType("overlay", backing));
  await probeOverlay(testDirectory, features).catch((error) => {
    throw new Unavailable(`driver not supported: overlay: failed to mount overlay: ${messageOf(error)}`, {
      cause: error,
    });
  });
  await ensureDirectory(home, 0o710);
  const nativeDiff = (await whyNoNativeDiff(home, features)) === undefined;
  return { backing, features, nativeDiff, readOnly: false };
}
