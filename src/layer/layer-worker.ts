import { type Channel, serve } from "../threads/index.js";
import { adopt } from "./adopt.js";
import { countInodes } from "./count-inodes.js";
import type { Job } from "./jobs.js";
import { measure, rebuild, verify } from "./rebuild.js";
import { record } from "./record.js";
import { unpack } from "./unpack.js";
import { write } from "./write.js";

serve((job: Job, channel: Channel): Promise<unknown> => {
  switch (job.kind) {
    case "unpack":
      return channel.input((tar) => unpack(job, tar));
    case "record":
      return record(job, channel.progress());
    case "write":
      return channel.input((tar) => write(job, tar));
    case "rebuild":
      return channel.output(rebuild(job));
    case "verify":
      return verify(job, channel.progress());
    case "adopt":
      return adopt(job);
    case "measure":
      return measure(job.split);
    case "inodes":
      return countInodes(job);
  }
});
