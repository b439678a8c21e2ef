import { type MessagePort, parentPort } from "node:worker_threads";
import { Cancelled } from "../spec/index.js";
import { Feed, type FeedMessage } from "./feed.js";
import { Inbox, type Used } from "./inbox.js";
import type { Job, RebuildJob, RecordJob, UnpackJob } from "./jobs.js";
import { measure, rebuild } from "./rebuild.js";
import { record, unpack } from "./unpack.js";
import { packError } from "./wire-error.js";
import type { Stop, Task } from "./worker-pool.js";

/** The thread behind `WorkerPool`: one task at a time, over the port that comes with it. */
parentPort?.on("message", async ({ job, port }: Task<Job>) => {
  try {
    port.postMessage({ done: await work(job, port) });
  } catch (error) {
    port.postMessage({ failed: packError(error) });
  }
  port.close();
});

function work(job: Job, port: MessagePort): Promise<unknown> {
  if (job.kind === "unpack") return unpackFed(job, port);
  if (job.kind === "record") return recordStopping(job, port);
  if (job.kind === "rebuild") return rebuildFed(job, port);
  return measure(job.split);
}

async function unpackFed(job: UnpackJob, port: MessagePort) {
  const inbox = new Inbox((used) => port.postMessage(used));
  port.on("message", (message: FeedMessage | Stop) => {
    if ("stop" in message) inbox.fail(new Cancelled("stopped"));
    else inbox.push(message);
  });
  const unpacked = await unpack(job, inbox);
  // What follows a compressed stream is no part of the layer, yet who sends it waits until it is taken.
  for await (const _ of inbox);
  return unpacked;
}

async function recordStopping(job: RecordJob, port: MessagePort) {
  let stopped = false;
  port.on("message", () => {
    stopped = true;
  });
  return record(job, (bytes) => {
    if (stopped) throw new Cancelled("stopped");
    port.postMessage({ used: bytes } satisfies Used);
  });
}

async function rebuildFed(job: RebuildJob, port: MessagePort) {
  const feed = new Feed((message, transfer = []) => port.postMessage(message, transfer));
  port.on("message", (message: Used | Stop) => {
    if ("stop" in message) feed.break(new Cancelled("stopped"));
    else feed.used(message.used);
  });
  await feed.run(rebuild(job));
}
