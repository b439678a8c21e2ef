import type { Finding } from "../finding.js";
import { type Known, layerPath } from "../known/known.js";
import { finding } from "../rule.js";
import { asideWithName } from "../set-aside.js";

/** Layers that no image has: what a pull, load or build that was killed had brought. dockerd never removes them. */
export function* unusedLayers(known: Known): Generator<Finding> {
  for (const { chainID, entry, made } of known.layers.values()) {
    if (!entry || !made || entry.node.kind !== "directory" || known.needed.has(chainID)) continue;
    const path = layerPath(known, chainID);
    const id = known.cacheIDs.get(chainID);
    const directory = id !== undefined && known.state.directories.has(id) ? asideWithName(known, id) : [];
    const what = "no image, container or build cache needs this layer";
    const means = "nothing: it only takes room, and an image that has the layer need not fetch it";
    yield finding({
      kind: "layer-unused",
      severity: "leftover",
      path,
      what,
      means,
      remedy: [{ kind: "set-aside", path }, ...directory],
    });
  }
}
