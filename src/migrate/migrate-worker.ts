import { compareTrees } from "../driver/index.js";
import { serve } from "../threads/index.js";
import { carry } from "./carry.js";
import type { Job } from "./jobs.js";

serve(async (job: Job): Promise<unknown> => {
  return job.kind === "carry" ? await carry(job) : compareTrees(job.a, job.b, job.exact);
});
