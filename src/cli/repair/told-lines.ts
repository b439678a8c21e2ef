import { relative } from "node:path";
import type { Dispute, Left, Nameless, NamesLeft, Told } from "../../doctor/index.js";
import { goJSON, shortID } from "../../spec/index.js";
import type { Format } from "../print.js";

/** One step, done or to be done. */
export function toldLine({ finding, step, outcome, text, name }: Told, format: Format | undefined): string {
  if (format !== "json") return `${outcome}: ${finding.kind}: ${text}`;
  const { kind, severity, path } = finding;
  const named = name && { Name: name.ref, Image: name.id };
  return goJSON({
    Kind: kind,
    Severity: severity,
    Path: path,
    Step: step.kind,
    Outcome: outcome,
    Text: text,
    ...named,
  });
}

/** What is wrong still. */
export function leftLine({ finding, why, advice }: Left, root: string, format: Format | undefined): string {
  const { kind, severity, path, what, means } = finding;
  if (format === "json") {
    const said = { What: what, Means: means, Why: why, ...(advice !== undefined && { Advice: advice }) };
    return goJSON({ Kind: kind, Severity: severity, Path: path, Outcome: "left", ...said });
  }
  const reasons = why.length === 0 ? "" : ` (${why.join("; ")})`;
  const todo = advice === undefined ? "" : `; ${advice}`;
  return `left: ${kind}: ${relative(root, path) || "."}: ${what}: ${means}${reasons}${todo}`;
}

/** What became of names that were lost, where it is not all well. */
export function namesLines({ disputes, failures, nameless }: NamesLeft, format: Format | undefined): string[] {
  if (format === "json") return [...disputes.map(disputeJSON), ...nameless.map(namelessJSON)];
  const asked = failures.map((failure) => `note: not all could be asked for names: ${failure}`);
  return [...asked, ...disputes.map(disputeText), ...nameless.map(namelessText)];
}

function disputeText({ ref, claims }: Dispute): string {
  const said = claims.map(({ id, from }) => `image ${shortID(id)} ${from}`).join(", ");
  return `disputed: ${ref}: ${said}; layerkit tag gives it to one`;
}

function disputeJSON({ ref, claims }: Dispute): string {
  return goJSON({ Outcome: "disputed", Name: ref, Claims: claims.map(({ id, from }) => ({ Image: id, Text: from })) });
}

function namelessText({ id, containers, repositories }: Nameless): string {
  const use =
    containers.length > 0
      ? `container ${containers.join(", ")} keeps it`
      : "reclaim --images and docker image prune would take it";
  const from = repositories.length > 0 ? `; its layers are in ${repositories.join(", ")}` : "";
  return `nameless: image ${shortID(id)}: ${use}${from}; layerkit tag ${shortID(id)} NAME names it`;
}

function namelessJSON({ id, containers, repositories }: Nameless): string {
  return goJSON({ Outcome: "nameless", Image: id, Containers: containers, Repositories: repositories });
}
