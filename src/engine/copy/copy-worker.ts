import { type MessagePort, parentPort } from "node:worker_threads";
import { Feed, type FeedMessage, Inbox, packError, type Stop, type Task, type Used } from "../../layer/index.js";
import { Cancelled } from "../../spec/index.js";
import type { CopyJob, ExtractJob, TarJob } from "./jobs.js";
import { extract, fill, measure, tarOfTree } from "./work.js";

/** The thread behind `CopyThreads`: one task at a time, over the port that comes with it. */
parentPort?.on("message", async ({ job, port }: Task<CopyJob>) => {
  try {
    port.postMessage({ done: await work(job, port) });
  } catch (error) {
    port.postMessage({ failed: packError(error) });
  }
  port.close();
});

function work(job: CopyJob, port: MessagePort): Promise<unknown> {
  if (job.kind === "tar") return tarFed(job, port);
  if (job.kind === "extract") return extractFed(job, port);
  return job.kind === "fill" ? fill(job) : measure(job);
}

async function tarFed(job: TarJob, port: MessagePort): Promise<void> {
  const feed = new Feed((message, transfer = []) => port.postMessage(message, transfer));
  port.on("message", (message: Used | Stop) => {
    if ("stop" in message) feed.break(new Cancelled("stopped"));
    else feed.used(message.used);
  });
  await feed.run(tarOfTree(job));
}

async function extractFed(job: ExtractJob, port: MessagePort): Promise<void> {
  const inbox = new Inbox((used) => port.postMessage(used));
  port.on("message", (message: FeedMessage | Stop) => {
    if ("stop" in message) inbox.fail(new Cancelled("stopped"));
    else inbox.push(message);
  });
  await extract(job, inbox);
  // What follows the archive means nothing, yet who sends it waits until it is taken.
  for await (const _ of inbox);
}
