import { check, libc } from "./libc.js";

// linux/fiemap.h: struct fiemap is 32 bytes (start 8, length 8, flags 4, mapped 4, count 4, reserved 4) and then extents
// of 56 bytes (logical 8, physical 8, length 8, reserved 16, flags 4, reserved 12).
const FS_IOC_FIEMAP = 0xc020660b;
const head = 32;
const each = 56;
const atOnce = 256;
const lastOne = 0x1;
const unknownPlace = 0x2;
const sharedOne = 0x2000;

const room = new Uint8Array(head + each * atOnce);
const view = new DataView(room.buffer);

/** A stretch of a file system's blocks, in bytes. */
export interface Extent {
  readonly physical: bigint;
  readonly length: number;
}

/**
 * The stretches of an open file that share their blocks with other files, or with another place of the same one, as
 * reflinks do. What has been written and has no place on the disk yet is not among them.
 *
 * @throws SyscallError: EOPNOTSUPP, ENOTTY or EINVAL where the file system cannot tell
 */
export function sharedExtents(fd: number): Extent[] {
  const shared: Extent[] = [];
  for (let start = 0n; ; ) {
    room.fill(0, 0, head);
    view.setBigUint64(0, start, true);
    view.setBigUint64(8, 0xffffffffffffffffn - start, true);
    view.setUint32(24, atOnce, true);
    check(libc.ioctlData(fd, FS_IOC_FIEMAP, room), "FS_IOC_FIEMAP");
    const mapped = view.getUint32(20, true);
    for (let at = head; at < head + mapped * each; at += each) {
      const [logical, physical] = [view.getBigUint64(at, true), view.getBigUint64(at + 8, true)];
      const [length, flags] = [view.getBigUint64(at + 16, true), view.getUint32(at + 40, true)];
      start = logical + length;
      if ((flags & sharedOne) !== 0 && (flags & unknownPlace) === 0) shared.push({ physical, length: Number(length) });
      if ((flags & lastOne) !== 0) return shared;
    }
    if (mapped === 0) return shared;
  }
}
