/**
 * Files and directories that appear whole or not at all, and go away whatever is in the way: atomic writes, write
 * sets, the exclusive lock of an owner, removal of trees, and the mounts that stand below a directory.
 */
export * from "./ensure-directory.js";
export * from "./lock.js";
export { type MountPoint, mountsBelow, mountsBelowReal, readMounts } from "./mounts.js";
export { naming } from "./naming.js";
export { removeTree } from "./remove-tree.js";
export * from "./rename-all.js";
export * from "./sweep.js";
export * from "./sync.js";
export * from "./write-atomic.js";
export * from "./write-set.js";
