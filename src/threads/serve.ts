import { type MessagePort, parentPort } from "node:worker_threads";
import { Cancelled } from "../spec/index.js";
import { collectBuffers } from "./collect.js";
import { Feed } from "./feed.js";
import { Inbox } from "./inbox.js";
import type { FeedMessage, Used } from "./messages.js";
import { recycle } from "./recycle.js";
import { packError } from "./wire-error.js";
import type { Stop, Task } from "./worker-pool.js";

/** What a task has of the one who started it. Of the three, a task uses the one that fits how it was started. */
export interface Channel {
  /**
   * `Threads.feed`: hands the stream to `use`, whose own its pieces are; `recycle` those that are done with. What `use`
   * leaves unread is taken and dropped after it.
   */
  input<T>(use: (stream: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>;
  /** `Threads.read`: puts `stream` out. */
  output(stream: AsyncIterable<Uint8Array>): Promise<void>;
  /** `Threads.run`: a function that tells of so many bytes more. @throws Cancelled: the task is to stop */
  progress(): (bytes: number) => void;
}

/** Makes the calling worker thread one of `Threads`: it does one task at a time. */
export function serve<Job>(work: (job: Job, channel: Channel) => Promise<unknown>): void {
  parentPort?.on("message", async ({ job, port }: Task<Job>) => {
    try {
      port.postMessage({ done: await work(job, channelOver(port)) });
    } catch (error) {
      port.postMessage({ failed: packError(error) });
    }
    port.close();
    collectBuffers();
  });
}

function channelOver(port: MessagePort): Channel {
  return {
    input: (use) => input(port, use),
    output: (stream) => output(port, stream),
    progress: () => progress(port),
  };
}

async function input<T>(port: MessagePort, use: (stream: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
  const inbox = new Inbox((used, transfer = []) => port.postMessage(used, transfer));
  port.on("message", (message: FeedMessage | Stop) => {
    if ("stop" in message) inbox.fail(new Cancelled("stopped"));
    else inbox.push(message);
  });
  const result = await use(inbox);
  // What follows may mean nothing, yet who sends it waits until it is taken.
  for await (const piece of inbox) recycle(piece);
  return result;
}

async function output(port: MessagePort, stream: AsyncIterable<Uint8Array>): Promise<void> {
  const feed = new Feed((message, transfer = []) => port.postMessage(message, transfer));
  port.on("message", (message: Used | Stop) => {
    if ("stop" in message) feed.break(new Cancelled("stopped"));
    else feed.used(message);
  });
  await feed.run(stream);
}

function progress(port: MessagePort): (bytes: number) => void {
  let stopped = false;
  port.on("message", () => {
    stopped = true;
  });
  return (bytes) => {
    if (stopped) throw new Cancelled("stopped");
    port.postMessage({ used: bytes } satisfies Used);
  };
}
