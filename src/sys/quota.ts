import { check, lastErrno, libc } from "./libc.js";
import { cString, type Name } from "./name.js";
import { errnos, SyscallError } from "./syscall-error.js";

// linux/fs.h, struct fsxattr: xflags 4, extsize 4, nextents 4, projid 4, cowextsize 4, pad 8.
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_XFLAG_PROJINHERIT = 0x200;
// linux/dqblk_xfs.h; the type of quota, project, stands in the low byte of the command.
const PRJQUOTA = 2;
const Q_XGETQUOTA = 0x5803;
const Q_XSETQLIM = 0x5804;
const Q_XGETQSTAT = 0x5805;
const softAndHardBlocks = 0xc;

/** The project an open file or directory counts towards, 0 for none. */
export function getProject(fd: number): number {
  return readAttributes(fd).getUint32(12, true);
}

/** Makes an open directory, and all that will be made in it, count towards project `id`. */
export function setProject(fd: number, id: number): void {
  const view = readAttributes(fd);
  view.setUint32(0, view.getUint32(0, true) | FS_XFLAG_PROJINHERIT, true);
  view.setUint32(12, id, true);
  const bytes = new Uint8Array(view.buffer);
  check(libc.ioctlData(fd, FS_IOC_FSSETXATTR, bytes), "FS_IOC_FSSETXATTR");
}

function readAttributes(fd: number): DataView {
  const bytes = new Uint8Array(28);
  check(libc.ioctlData(fd, FS_IOC_FSGETXATTR, bytes), "FS_IOC_FSGETXATTR");
  return new DataView(bytes.buffer);
}

/** Whether project quota is counted and enforced on the XFS of block node `device`. */
export function projectQuotaState(device: Name): { readonly counted: boolean; readonly enforced: boolean } {
  const bytes = new Uint8Array(80);
  check(libc.quotactl(quotaCommand(Q_XGETQSTAT), cString(device), 0, bytes), "quotactl", device);
  const flags = new DataView(bytes.buffer).getUint16(2, true);
  return { counted: (flags & 0x10) !== 0, enforced: (flags & 0x20) !== 0 };
}

/** Limits project `id` to `bytes`, rounded down to 512; 0 takes the limit away. */
export function setProjectLimit(device: Name, id: number, bytes: number): void {
  const quota = new DataView(new ArrayBuffer(112));
  quota.setInt8(0, 1); // version
  quota.setInt8(1, 2); // a project's
  quota.setUint16(2, softAndHardBlocks, true);
  quota.setUint32(4, id, true);
  quota.setBigUint64(8, BigInt(Math.floor(bytes / 512)), true);
  quota.setBigUint64(16, BigInt(Math.floor(bytes / 512)), true);
  const data = new Uint8Array(quota.buffer);
  check(libc.quotactl(quotaCommand(Q_XSETQLIM), cString(device), id, data), "quotactl", device);
}

/** The limit of project `id` and what it uses, in bytes. @returns undefined when the project has never been used */
export function projectLimit(device: Name, id: number): { readonly limit: number; readonly used: number } | undefined {
  const data = new Uint8Array(112);
  if (libc.quotactl(quotaCommand(Q_XGETQUOTA), cString(device), id, data) < 0) {
    const errno = lastErrno();
    if (errno === errnos.ENOENT) return undefined;
    throw new SyscallError(errno, "quotactl", device);
  }
  const quota = new DataView(data.buffer);
  const bytesAt = (at: number) => Number(quota.getBigUint64(at, true)) * 512;
  return { limit: bytesAt(8), used: bytesAt(40) };
}

function quotaCommand(command: number): number {
  return (command << 8) | PRJQUOTA;
}
