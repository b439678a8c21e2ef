import { parentPort } from "node:worker_threads";
import { messageOf } from "../../spec/index.js";
import type { Copied, Order } from "./copier.js";
import { copyTree } from "./copy-tree.js";
import { linkTree } from "./link-tree.js";

/** Answers each order with what went wrong, in their order. */
parentPort?.on("message", (order: Order) => {
  parentPort?.postMessage(attempt(order));
});

function attempt({ kind, trees }: Order): Copied {
  try {
    return { bytes: kind === "copy" ? copyTree(trees) : linkTree(trees) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}
