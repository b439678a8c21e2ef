import { type Channel, serve } from "../../threads/index.js";
import type { WalkJob } from "./jobs.js";
import { Walk, type Walked } from "./walk.js";

/** After so many entries the thread listens whether it is to stop. */
const mostAtOnce = 5000;

serve(async ({ places, reflinks }: WalkJob, channel: Channel): Promise<Walked[]> => {
  const tell = channel.progress();
  const found: Walked[] = [];
  let seen = 0;
  for (const { path, stops } of places) {
    const walk = new Walk({ stops: new Set(stops), reflinks });
    for (const entries of walk.run(path)) {
      seen += entries;
      if (seen < mostAtOnce) continue;
      await new Promise((resolve) => setImmediate(resolve));
      tell(seen);
      seen = 0;
    }
    found.push(walk.found);
  }
  tell(seen);
  return found;
});
