import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../../spec/index.js";
import { lgetxattr, lsetxattr } from "../../sys/index.js";
import { mountOverlay, type OverlayFeatures, unmountOverlay } from "../mount/overlay-mount.js";
import { inProbeDirectory } from "./probe-directory.js";

/**
 * Why an upper directory on this kernel may say something else than what was done in the mount, so that whole trees
 * have to be compared; undefined when it does not. @see docker-data-root 2.5
 */
export async function whyNoNativeDiff(home: string, features: OverlayFeatures): Promise<string | undefined> {
  const prefix = features.userxattr ? "user.overlay." : "trusted.overlay.";
  return inProbeDirectory(home, "opaque-bug-check", async (probe) => {
    const at = (path: string) => join(probe, path);
    for (const dir of ["l1/d", "l1/d1", "l2/d", "l3", "work", "merged"]) await mkdir(at(dir), { recursive: true });
    await writeFile(at("l1/f"), "content");
    lsetxattr(at("l2/d"), `${prefix}opaque`, Buffer.from("y"));
    const upper = { dir: "l3", work: "work" };
    await mountOverlay(probe, { lowers: ["l2", "l1"], upper, target: "merged" }, features);
    try {
      return await whyNot(at, prefix);
    } finally {
      await unmountOverlay(at("merged"));
    }
  });
}

async function whyNot(at: (path: string) => string, prefix: string): Promise<string | undefined> {
  const has = (path: string, name: string) => lgetxattr(at(path), `${prefix}${name}`) !== undefined;
  await writeFile(at("merged/d/f"), "");
  if (has("l3/d", "opaque")) return "kernel has an overlayfs bug: copied-up directories become opaque";
  await chmod(at("merged/f"), 0o600);
  if (has("l3/f", "metacopy")) return "kernel has metacopy switched on for overlayfs";
  try {
    await rename(at("merged/d1"), at("merged/d2"));
  } catch (error) {
    if (isErrno(error, "EXDEV")) return undefined;
    throw error;
  }
  return has("l3/d2", "redirect") ? "kernel has CONFIG_OVERLAY_FS_REDIRECT_DIR enabled" : undefined;
}
