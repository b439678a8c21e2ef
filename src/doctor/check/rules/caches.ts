import type { Finding } from "../finding.js";
import type { Known } from "../known/known.js";
import { finding } from "../rule.js";

/** Files of other stores in the root, which whoever needs them makes anew. */
export function* caches({ state }: Known): Generator<Finding> {
  for (const { path, problem } of state.images.distribution) {
    const means = "a pull or push may do again what had been done before: it is a cache";
    yield finding({
      kind: "distribution-damaged",
      severity: "oddity",
      path,
      what: problem,
      means,
      remedy: [{ kind: "set-aside", path }],
    });
  }
  for (const { path, problem } of state.unreadable) {
    const means = "dockerd does not start, or hangs at its start";
    yield finding({
      kind: "database-damaged",
      severity: "damage",
      path,
      what: problem,
      means,
      remedy: [{ kind: "set-aside", path }],
    });
  }
}
