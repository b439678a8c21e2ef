/**
 * `daemon.json`, the configuration of a daemon in dockerd's keys: which there are, what each may be, and where in the
 * file something is wrong. It reads and judges; what the values mean is the business of others.
 */
export { assertNoConflicts } from "./conflicts.js";
export { type ConfigFile, logLevels } from "./keys.js";
export { type Config, judged, readConfig } from "./read.js";
export type { Runtime } from "./runtime.js";
