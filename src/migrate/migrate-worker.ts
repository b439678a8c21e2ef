import { serve } from "../threads/index.js";
import { carry } from "./carry.js";
import { compare } from "./compare.js";
import type { Job } from "./jobs.js";

serve(async (job: Job): Promise<unknown> => {
  return job.kind === "carry" ? await carry(job) : compare(job);
});
