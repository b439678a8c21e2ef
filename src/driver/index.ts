/**
 * Layers as directories on disk: changes are written into them, stacks of them are mounted, and what one of them
 * changes over the one below is read back. A driver knows parents and mounts; it knows no digest, tar or image.
 *
 * The writing and the reading of changes are synchronous, for worker threads: `openWriter` and `readDiff` take plain
 * data that a driver's `fill` and `openDiff` give. Whatever a layer holds, the kernel keeps both inside its directory.
 */
export type { Check } from "./checks/check.js";
export { osRelease } from "./checks/os-release.js";
export { type Survey, survey } from "./checks/survey.js";
export { ownersAreLimited } from "./checks/user-namespace.js";
export { linkTree } from "./copy/link-tree.js";
export { fillFromInit, hideFromInit } from "./copy/over-init.js";
export type * from "./driver.js";
export { checkDriverOptions, driverNames, openDriver } from "./open-driver.js";
export { compareTrees } from "./read/compare-trees.js";
export { FilesInside } from "./read/files-inside.js";
export { paced, pauses } from "./read/paced.js";
export { readDiff } from "./read/read-diff.js";
export { type ReadTreeOptions, readTree } from "./read/read-tree.js";
export { Carrier } from "./write/carrier.js";
export { type Jail, jail, jailIfAllowed } from "./write/jail.js";
export { openWriter } from "./write/open-writer.js";
export { ownerOnDisk } from "./write/owner-on-disk.js";
