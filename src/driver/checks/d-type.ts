import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AT_FDCWD, close, DT, getdents64, O, openat } from "../../sys/index.js";
import type { Check } from "./check.js";
import { inProbeDirectory } from "./probe-directory.js";

/** Whether the file system of `dir` keeps the type of a file beside its name, which overlayfs needs. */
export async function supportsDType(dir: string): Promise<boolean> {
  return inProbeDirectory(dir, "d-type-check", async (probe) => {
    await writeFile(join(probe, "file"), "");
    const fd = openat(AT_FDCWD, probe, O.O_RDONLY | O.O_DIRECTORY);
    try {
      return getdents64(fd).every((entry) => entry.type !== DT.UNKNOWN);
    } finally {
      close(fd);
    }
  });
}

/** @param filesystem of `dir`, as `backingFilesystem` names it */
export async function dTypeCheck(dir: string, filesystem: string): Promise<Check> {
  const check = { name: "d_type", needed: "the type of each file in its directory's entry" };
  if (await supportsDType(dir)) return { ...check, found: "there", outcome: "ok" };
  const remedies: Readonly<Record<string, string>> = {
    xfs: "make the file system anew with mkfs.xfs -n ftype=1: XFS cannot change it",
    extfs:
      "unmount it, then tune2fs -O filetype DEVICE and e2fsck -f DEVICE; or make it anew with mkfs.ext4 -O filetype",
  };
  const remedy = remedies[filesystem] ?? "put the data root on another file system, such as ext4 or XFS";
  return { ...check, found: `none on ${filesystem}`, outcome: "failed", remedy };
}

/** That a driver does not work without it, in Docker's words. */
export function missingDType(driver: string, filesystem: string): string {
  const advice: Record<string, string> = {
    xfs: " Reformat the filesystem with ftype=1 to enable d_type support.",
    extfs: " Reformat the filesystem (or use tune2fs) with -O filetype flag to enable d_type support.",
  };
  return (
    `${driver}: the backing ${filesystem} filesystem is formatted without d_type support, which leads to incorrect ` +
    `behavior.${advice[filesystem] ?? ""} Backing filesystems without d_type support are not supported.`
  );
}
