import { Threads } from "../threads/index.js";
import type { Job } from "./jobs.js";

export const migrateThreads = new Threads<Job>(new URL("./migrate-worker.js", import.meta.url), 2);
