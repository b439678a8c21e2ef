import { serve } from "../../threads/index.js";
import { compareLayer } from "./compare-layer.js";
import type { DeepJob } from "./jobs.js";

serve((job: DeepJob, channel): Promise<unknown> => compareLayer(job, channel.progress()));
