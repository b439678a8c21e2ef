/**
 * Containers by `runc`, under a supervisor that outlives the daemon: starts them, holds their standard streams, writes
 * their logs, and tells their exits. Takes the path of a root file system; knows no layer and no image.
 */
export * from "./failure.js";
export type * from "./supervisor/contract.js";
