import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AT_FDCWD, close, DT, getdents64, O, openat } from "../../sys/index.js";
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

/** What to do about a file system without it; Docker's words. */
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
