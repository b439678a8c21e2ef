import { existsSync } from "node:fs";
import { ensureDirectory } from "../../disk/index.js";
import { InvalidParameter, Unavailable } from "../../spec/index.js";
import { assertUsable } from "../checks/assert-usable.js";
import { backingFilesystem } from "../checks/backing-filesystem.js";
import { explained } from "../checks/check.js";
import { whyNoNativeDiff } from "../checks/native-diff.js";
import { featuresHere } from "../checks/overlay-probe.js";
import type { DriverOptions } from "../driver.js";
import type { OverlayFeatures } from "../mount/overlay-mount.js";
import { type Overlay2Options, parseOptions } from "./options.js";
import { ProjectQuota } from "./project-quota.js";

/** What the driver has found out about the place it works in. */
export interface Ready {
  readonly options: Overlay2Options;
  readonly backing: string;
  readonly nativeDiff: boolean;
  readonly features: OverlayFeatures;
  readonly quota: ProjectQuota | undefined;
  readonly readOnly: boolean;
}

/**
 * The checks before use, and the home. @see docker-data-root 2.4
 *
 * @throws InvalidParameter: an option; Unavailable: it cannot work here, with the remedy where there is one
 */
export async function initialize(dataRoot: string, home: string, options: DriverOptions): Promise<Ready> {
  const parsed = parseOptions(options.storageOptions ?? []);
  const warn = options.warn ?? (() => {});
  const isFresh = !existsSync(home);
  const testDirectory = isFresh ? dataRoot : home;
  const features = featuresHere();
  if (options.readOnly) return unprobed(home, parsed, features);
  const { overrideKernelCheck } = parsed;
  const backing = await assertUsable(testDirectory, { driver: "overlay2", features, overrideKernelCheck });
  await ensureDirectory(home, 0o710);
  await ensureDirectory(`${home}/l`, 0o700);
  const quota = backing === "xfs" ? await ProjectQuota.open(home) : undefined;
  assertSizeUsable(parsed, backing, quota);
  const why = await whyNoNativeDiff(home, features);
  if (why !== undefined) warn(`Not using native diff for overlay2, this may be slower: ${why}`);
  return { options: parsed, backing, nativeDiff: why === undefined, features, quota, readOnly: false };
}

/** What can be said of a home without touching it; a diff that is not simply its upper directory still shows as such. */
function unprobed(home: string, options: Overlay2Options, features: OverlayFeatures): Ready {
  if (!existsSync(home)) throw new Unavailable(`there is no ${home} to be read`);
  return { options, backing: backingFilesystem(home), nativeDiff: true, features, quota: undefined, readOnly: true };
}

function assertSizeUsable({ size }: Overlay2Options, backing: string, quota: ProjectQuota | undefined): void {
  if (size === undefined || quota) return;
  const check = {
    name: "project quota",
    needed: "XFS with project quota, for overlay2.size",
    outcome: "failed",
    remedy: "mount XFS with -o pquota, or leave overlay2.size out",
  } as const;
  const isXFS = backing === "xfs";
  const reason = isXFS
    ? "Storage option overlay2.size not supported. Filesystem does not support Project Quota: " +
      "Filesystem does not support, or has not enabled quotas"
    : `Storage Option overlay2.size only supported for backingFS XFS. Found ${backing}`;
  throw new InvalidParameter(explained(reason, { ...check, found: isXFS ? "XFS without it" : backing }));
}
