import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../disk/index.js";
import {
  Carrier,
  fillFromInit,
  hideFromInit,
  linkTree,
  readDiff,
  readTree,
  type WriteTarget,
} from "../driver/index.js";
import { NotImplemented } from "../spec/index.js";
import type { CarryJob } from "./jobs.js";
import { names } from "./root.js";

/** Root's; in a user namespace nothing is migrated. */
const xattrPrefix = "trusted.overlay.";

/** @returns bytes of file content copied. For worker threads */
export async function carry(job: CarryJob): Promise<number> {
  const { from, to } = job;
  if ("upper" in from && "upper" in to) return await carryUpper(job, from, to);
  if ("upper" in from && "tree" in to) return await carryInto(to.tree, job, from);
  if ("tree" in from && "upper" in to) return await carryChanges(from, to.upper);
  throw new NotImplemented("there is one driver only that makes whole trees of containers");
}

type Upper = { readonly upper: string; readonly holdsInit: boolean };

async function carryUpper({ init }: CarryJob, from: Upper, to: Upper): Promise<number> {
  await empty(to.upper);
  const copied = linkTree({ from: from.upper, to: to.upper, overlay: xattrPrefix });
  if (init === undefined || from.holdsInit === to.holdsInit) return copied;
  const trees = { init, upper: to.upper, xattrPrefix };
  if (to.holdsInit) fillFromInit(trees);
  else hideFromInit(trees);
  return copied;
}

/** The tree begins as that of the layer below: the init layer for a container's own. */
async function carryInto(tree: string, { init, scratch }: CarryJob, { upper, holdsInit }: Upper): Promise<number> {
  const own = join(scratch, "upper");
  await removeTree(own);
  mkdirSync(own, { mode: 0o700 });
  linkTree({ from: upper, to: own, overlay: xattrPrefix });
  if (init !== undefined && holdsInit) hideFromInit({ init, upper: own, xattrPrefix });
  using carrier = new Carrier(own, targetIn(tree, "remove"), false);
  for (const change of readTree(own, { rootEntry: true, whiteouts: "overlay", xattrs: "all" })) carrier.change(change);
  carrier.finish();
  await removeTree(own);
  return carrier.bytesCopied;
}

/** The driver may have put the init layer's files there. */
async function empty(upper: string): Promise<void> {
  for (const name of names(upper)) await removeTree(join(upper, name));
}

async function carryChanges(from: { tree: string; changes: Parameters<typeof readDiff>[0] }, upper: string) {
  await empty(upper);
  using carrier = new Carrier(from.tree, targetIn(upper, "overlay"), true);
  for await (const change of readDiff(from.changes)) carrier.change(change);
  carrier.finish();
  return carrier.bytesCopied;
}

function targetIn(root: string, whiteouts: "overlay" | "remove"): WriteTarget {
  return { root, base: "", whiteouts, xattrPrefix, impliedMode: 0o755, rootMeta: true, lenient: false };
}
