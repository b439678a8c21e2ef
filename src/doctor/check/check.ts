import type { RootState } from "../root/root-state.js";
import { type Finding, severities } from "./finding.js";
import { know } from "./known/known.js";
import type { Rule } from "./rule.js";
import { caches } from "./rules/caches.js";
import { containers } from "./rules/containers.js";
import { foreign } from "./rules/foreign.js";
import { images } from "./rules/images.js";
import { layerDirectories } from "./rules/layer-directories.js";
import { layerEntries } from "./rules/layer-entries.js";
import { halfDone, insideLayers, orphans } from "./rules/leftovers.js";
import { links } from "./rules/links.js";
import { lowers } from "./rules/lowers.js";
import { modes } from "./rules/modes.js";
import { mountEntries } from "./rules/mount-entries.js";
import { mounted } from "./rules/mounted.js";
import { tags } from "./rules/tags.js";
import { temporary } from "./rules/temporary.js";
import { unusedLayers } from "./rules/unused-layers.js";

/** In the order of repair: what others are derived from first. */
const rules: readonly Rule[] = [
  ...[modes, layerEntries, layerDirectories, links, lowers, mountEntries, containers, images, tags, caches],
  ...[mounted, halfDone, insideLayers, temporary, orphans, unusedLayers, foreign],
];

export interface CheckOptions {
  /** A daemon may be at work in the root: what is mounted and half done is its, then. */
  readonly isLive?: boolean;
}

/**
 * What is wrong with a root, the worst first, and of one severity in the order in which it is to be mended. Reads
 * nothing but `state`; one damage is one finding, as far as what it hides can be told from elsewhere.
 */
export function check(state: RootState, { isLive = false }: CheckOptions = {}): Finding[] {
  const known = know(state, isLive);
  const found = rules.flatMap((rule) => [...rule(known)]);
  return severities.flatMap((severity) => found.filter((each) => each.severity === severity));
}
