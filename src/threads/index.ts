/**
 * Work that would hold up the event loop, done in other threads: a pool of them, byte streams to and from them at the
 * pace of the slower side, and failures that keep their class and errno on the way back. Knows nothing of what is done.
 */
export { recycle, recycled } from "./recycle.js";
export { type Channel, serve } from "./serve.js";
export { type RunOptions, SourceFailure, Threads } from "./threads.js";
export { labelled } from "./wire-error.js";
