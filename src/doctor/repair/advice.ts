import { type ChainID, hexOf, type ImageID } from "../../spec/index.js";
import type { Finding } from "../check/finding.js";
import type { RootState } from "../root/root-state.js";
import { stepsOf } from "./order.js";
import { imagesWith, provenLayer } from "./proven-layer.js";

/**
 * What can be done about what a repair could not mend; undefined: it is not known.
 *
 * @param why the reasons why its steps failed
 */
export function adviceOn(finding: Finding, why: readonly string[], state: RootState): string | undefined {
  if (why.some((reason) => /^there is no room to /.test(reason))) return "make room, and repair again";
  if (finding.kind === "tags-lost") {
    return "if nobody took the names away, layerkit repair --names brings back those that can be told";
  }
  for (const step of stepsOf(finding)) {
    if (step.kind === "restore-layer") return ofLayer(step.chainID, finding, state);
    if (step.kind === "restore-image") {
      return `the config of image ${called(step.id, state)} is needed: layerkit repair --from FILE, an archive or data root that has it`;
    }
  }
  return undefined;
}

function ofLayer(chainID: ChainID, { images, containers }: Finding, state: RootState): string {
  const having = imagesWith(state, chainID).map(([id]) => id);
  const names = [...new Set([...images, ...having])].map((id) => called(id, state));
  const whose = names.length > 0 ? ` of image ${names.join(", ")}` : containers.length > 0 ? " of containers" : "";
  const diffID = provenLayer(state, chainID)?.diffID ?? "of which the digest is lost";
  return `layer ${diffID}${whose} is needed: layerkit repair --from FILE, an archive or data root that has it`;
}

/** By its names, if it has any. */
function called(id: ImageID, { images }: RootState): string {
  const names = [...(images.repositories.references ?? [])].flatMap(([name, each]) => (each === id ? name : []));
  return names.length > 0 ? `${names.join(", ")} (${hexOf(id).slice(0, 12)})` : id;
}
