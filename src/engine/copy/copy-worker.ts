import { type Channel, serve } from "../../threads/index.js";
import type { CopyJob } from "./jobs.js";
import { extract, fill, measure, tarOfTree } from "./work.js";

serve((job: CopyJob, channel: Channel): Promise<unknown> => {
  switch (job.kind) {
    case "tar":
      return channel.output(tarOfTree(job));
    case "extract":
      return channel.input((tar) => extract(job, tar));
    case "fill":
      return fill(job);
    case "measure":
      return measure(job);
  }
});
