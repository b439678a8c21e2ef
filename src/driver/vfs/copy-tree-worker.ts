import { parentPort } from "node:worker_threads";
import { messageOf } from "../../spec/index.js";
import type { Copied } from "./copier.js";
import { type Copy, copyTree } from "./copy-tree.js";

/** Answers each copy with what went wrong, in their order. */
parentPort?.on("message", (copy: Copy) => {
  parentPort?.postMessage(attempt(copy));
});

function attempt(copy: Copy): Copied {
  try {
    copyTree(copy);
    return {};
  } catch (error) {
    return { failure: messageOf(error) };
  }
}
