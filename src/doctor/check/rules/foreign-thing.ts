import type { Finding } from "../finding.js";
import { finding } from "../rule.js";

/** What is not Docker's may be dear to somebody: it is told, and stays. */
export function foreignThing(path: string, what: string): Finding {
  const means = "nothing: dockerd and layerkit pass over it";
  return finding({ kind: "foreign", severity: "oddity", path, what, means, remedy: [] });
}
