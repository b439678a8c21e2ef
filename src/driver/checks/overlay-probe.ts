import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isErrno, messageOf } from "../../spec/index.js";
import { close, fsconfigString, fsopen } from "../../sys/index.js";
import { mountOverlay, type OverlayFeatures, unmountOverlay } from "../mount/overlay-mount.js";
import { elsewhere, isUnsuitable } from "./backing-filesystem.js";
import type { Check } from "./check.js";
import { inProbeDirectory } from "./probe-directory.js";
import { inUserNamespace } from "./user-namespace.js";

/** Mounts a small overlay in `dir` and unmounts it. @throws Unavailable: the kernel refuses it, with its reason */
export async function probeOverlay(dir: string, features: OverlayFeatures): Promise<void> {
  await inProbeDirectory(dir, "check-overlayfs-support", async (probe) => {
    for (const name of ["lower1", "lower2", "upper", "work", "merged"]) await mkdir(join(probe, name));
    const upper = { dir: "upper", work: "work" };
    await mountOverlay(probe, { lowers: ["lower2", "lower1"], upper, target: "merged" }, features);
    await unmountOverlay(join(probe, "merged"));
  });
}

/** The judge of all others. @param failure of `probeOverlay`, if it failed @param filesystem as it is named */
export function mountCheck(failure: unknown, filesystem: string): Check {
  const check = { name: "overlay mount", needed: "a mount with two lower layers and an upper one" };
  if (failure === undefined) return { ...check, found: "mounted", outcome: "ok" };
  const cause = failure instanceof Error && failure.cause instanceof Error ? failure.cause : failure;
  const { code = messageOf(cause) } = cause as NodeJS.ErrnoException;
  return { ...check, found: `${code} on ${filesystem}`, outcome: "failed", remedy: remedyFor(cause, filesystem) };
}

function remedyFor(cause: unknown, filesystem: string): string {
  if (isUnsuitable(filesystem)) return elsewhere(filesystem);
  if (isErrno(cause, "EPERM", "EACCES")) {
    return inUserNamespace()
      ? "overlayfs in a user namespace needs Linux 5.11, and a mount namespace of the same owner"
      : "be root, with the right to mount (CAP_SYS_ADMIN), or go into namespaces by unshare --user --map-root-user --mount";
  }
  if (isErrno(cause, "ENODEV")) return "modprobe overlay, or boot a kernel with CONFIG_OVERLAY_FS";
  if (isErrno(cause, "ENOSPC")) return "make space for a directory, in blocks and inodes";
  return "the kernel's log (dmesg) says why; ext4 and XFS are file systems that overlayfs takes";
}

/** What the kernel can do and needs. @see OverlayFeatures */
export function featuresHere(): OverlayFeatures {
  return {
    index: existsSync("/sys/module/overlay/parameters/index"),
    userxattr: inUserNamespace(),
    layerByLayer: layerByLayer(),
  };
}

/** Whether overlayfs takes its layers one by one. */
export function layerByLayer(): boolean {
  try {
    const fd = fsopen("overlay");
    try {
      fsconfigString(fd, "lowerdir+", "/");
      return true;
    } finally {
      close(fd);
    }
  } catch (error) {
    if (isErrno(error, "EINVAL", "ENOSYS", "EPERM", "ENODEV")) return false;
    throw error;
  }
}
