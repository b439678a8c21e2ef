/**
 * What stacked layers mean. A layer is an ordered stream of changes, or the same as a tree that may hold whiteouts,
 * opaque and redirected directories; stacked, layers make one merged tree. Here is the kernel's way to look a path up
 * in a stack, to list and to merge, the difference of two trees as a layer, and a model of a writable overlay mount.
 * Values only: no I/O and nothing of Node, so that a browser can run it. Lists of layers are bottom first.
 */
export { apply } from "./apply.js";
export { byteOrder } from "./byte-order.js";
export type * from "./change.js";
export { changesOf } from "./changes-of.js";
export { changes, difference } from "./difference.js";
export { FileSystemError } from "./file-system-error.js";
export { type Found, list, lookup, type Place } from "./lookup.js";
export { merge } from "./merge.js";
export { Overlay, type OverlayOptions } from "./overlay.js";
export { type PathChange, pathChanges } from "./path-changes.js";
export type * from "./tree.js";
export { treeOf } from "./tree-of.js";
export { find, walk } from "./walk.js";
