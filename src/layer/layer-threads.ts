import { Threads } from "../threads/index.js";
import type { Job } from "./jobs.js";

/** Enough for what runs at once; a thread may be kept waiting by a slow network, so more than there are cores. */
const size = 8;

/** Those of the process: all its stores share them. They start when they are needed and end when they are not. */
export const layerThreads = new Threads<Job>(new URL("./layer-worker.js", import.meta.url), size);
