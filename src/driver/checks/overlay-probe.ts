import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../../spec/index.js";
import { close, fsconfigString, fsopen } from "../../sys/index.js";
import { mountOverlay, type OverlayFeatures, unmountOverlay } from "../mount/overlay-mount.js";
import { inProbeDirectory } from "./probe-directory.js";

/** Mounts a small overlay in `dir` and unmounts it. @throws Unavailable: the kernel refuses it, with its reason */
export async function probeOverlay(dir: string, features: OverlayFeatures): Promise<void> {
  await inProbeDirectory(dir, "check-overlayfs-support", async (probe) => {
    for (const name of ["lower1", "lower2", "upper", "work", "merged"]) await mkdir(join(probe, name));
    const upper = { dir: "upper", work: "work" };
    await mountOverlay(probe, { lowers: ["lower2", "lower1"], upper, target: "merged" }, features);
    await unmountOverlay(join(probe, "merged"));
  });
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
