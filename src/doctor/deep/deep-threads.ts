import { availableParallelism } from "node:os";
import { Threads } from "../../threads/index.js";
import type { DeepJob } from "./jobs.js";

/** So many layers are compared at once: hashing is all they do, more would only take turns. */
export const atOnce = availableParallelism();

export const deepThreads = new Threads<DeepJob>(new URL("./deep-worker.js", import.meta.url), atOnce);
