import { parentPort } from "node:worker_threads";
import type { Task } from "./worker-pool.js";

/** What the pool's tests ask of a thread. */
export type TestJob = "answer" | "echo" | "fail" | "throw" | "exit" | "wait";

let answered = 0;

parentPort?.on("message", ({ job, port }: Task<TestJob>) => {
  if (job === "answer") port.postMessage({ done: ++answered });
  else if (job === "fail") port.postMessage({ failed: { message: "no", kind: "conflict" } });
  else if (job === "exit") process.exit(7);
  else if (job === "throw") throw new Error("thrown in the thread");
  else if (job === "wait") port.once("message", () => port.postMessage({ done: "stopped" }));
  else {
    port.on("message", (message) => {
      if (message === "end") port.postMessage({ done: "ended" });
      else port.postMessage(message);
    });
  }
});
