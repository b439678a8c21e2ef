import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../spec/index.js";
import { SyscallError } from "../sys/index.js";
import { Removal } from "./removal.js";
import type { Failure } from "./remove-tree.js";

const busyMs = 100;
const clock = new Int32Array(new SharedArrayBuffer(4));

function remove(path: string): Failure {
  try {
    for (const step of new Removal(false).run(path)) {
      if (step === "busy") Atomics.wait(clock, 0, 0, busyMs);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof SyscallError)) return messageOf(error);
    return { errno: -error.errno, syscall: error.syscall, path: error.path ?? path };
  }
}

parentPort?.postMessage(remove(workerData as string));
