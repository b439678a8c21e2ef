import os from "node:os";
import { messageOf } from "../../spec/index.js";
import type { OverlayFeatures } from "../mount/overlay-mount.js";
import { backingCheck, backingFilesystem, isUnsuitable } from "./backing-filesystem.js";
import { refusal } from "./check.js";
import { dTypeCheck, missingDType } from "./d-type.js";
import { kernelCheck } from "./kernel-version.js";
import { osRelease } from "./os-release.js";
import { mountCheck, probeOverlay } from "./overlay-probe.js";

/** Something that has to be so for an overlay driver to work, and what Docker says when it is not. */
interface Wanted {
  readonly driver: "overlay2" | "overlay";
  readonly features: OverlayFeatures;
  readonly overrideKernelCheck?: boolean | undefined;
}

/**
 * The checks without which an overlay driver does not work, in the order in which one explains the next: d_type comes
 * before the mount, which fails without it, too, but does not say why.
 *
 * @returns the file system of `dir`
 * @throws Unavailable: the check, what it found, what is needed, and what to do
 */
export async function assertUsable(dir: string, { driver, features, overrideKernelCheck }: Wanted): Promise<string> {
  const unsupported = `driver not supported: ${driver}`;
  const kernel = kernelCheck(driver, { release: os.release(), os: osRelease() }, overrideKernelCheck);
  if (kernel.outcome === "failed") throw refusal(unsupported, kernel);
  const filesystem = backingFilesystem(dir);
  const dType = await dTypeCheck(dir, filesystem);
  if (dType.outcome === "failed") throw refusal(missingDType(driver, filesystem), dType);
  if (process.env._DOCKERD_ROOTLESS_SELINUX === "1") throw refusal(unsupported, selinux);
  try {
    await probeOverlay(dir, features);
  } catch (error) {
    const check = isUnsuitable(filesystem) ? backingCheck(filesystem, false) : mountCheck(error, filesystem);
    throw refusal(`${unsupported}: failed to mount overlay: ${messageOf(error)}`, check, error);
  }
  return filesystem;
}

const selinux = {
  name: "SELinux",
  found: "_DOCKERD_ROOTLESS_SELINUX=1",
  needed: "rootless mode without SELinux",
  outcome: "failed",
  remedy: "switch it off for this process, or be root",
} as const;
