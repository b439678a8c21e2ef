import { statfs } from "../../sys/index.js";
import type { Check } from "./check.js";

/** Magic numbers to the names that `docker info` shows. @see docker-data-root 2.4 */
const names = new Map([
  [0x61756673, "aufs"],
  [0x9123683e, "btrfs"],
  [0x28cd3d45, "cramfs"],
  [0xf15f, "ecryptfs"],
  [0xef53, "extfs"],
  [0xf2f52010, "f2fs"],
  [0x65735546, "fuse"],
  [0x47504653, "gpfs"],
  [0x72b6, "jffs2"],
  [0x3153464a, "jfs"],
  [0x6969, "nfs"],
  [0x794c7630, "overlayfs"],
  [0x858458f6, "ramfs"],
  [0x52654973, "reiserfs"],
  [0x517b, "smb"],
  [0x73717368, "squashfs"],
  [0x01021994, "tmpfs"],
  [0xa501fcf5, "vxfs"],
  [0x58465342, "xfs"],
  [0x2fc12fc1, "zfs"],
]);

export const overlayMagic = 0x794c7630;

/** The file system a directory is on, as `docker info` names it; `<unknown>` for others. */
export function backingFilesystem(dir: string): string {
  return names.get(statfs(dir).type) ?? "<unknown>";
}

/** Those that overlayfs does not take for what it writes to, on any kernel so far; the mount decides all the same. */
const unsuitable = ["aufs", "cramfs", "ecryptfs", "nfs", "overlayfs", "smb", "squashfs"];

export function isUnsuitable(filesystem: string): boolean {
  return unsuitable.includes(filesystem);
}

export function elsewhere(filesystem: string): string {
  return `put the data root on ext4 or XFS, for ${filesystem} cannot be below; in a container, on a volume`;
}

/** @param mounts whether an overlay could be mounted there */
export function backingCheck(filesystem: string, mounts: boolean): Check {
  const needed = "one that overlayfs can write to, such as ext4 or XFS";
  const check = { name: "backing file system", found: filesystem, needed };
  if (mounts || !isUnsuitable(filesystem)) return { ...check, outcome: "ok" };
  return { ...check, outcome: "failed", remedy: elsewhere(filesystem) };
}
