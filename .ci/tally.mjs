// Sums up vitest's JSON report in one line: node tally.mjs REPORT STATUS-OF-THE-RUN
import { readFileSync } from "node:fs";

const [report, status] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };

/** A file that could not even be loaded has no tests; it counts as one that failed. */
function outcomes({ status, assertionResults }) {
  const of = assertionResults.map((test) => test.status);
  return status === "failed" && !of.includes("failed") ? [...of, "failed"] : of;
}

try {
  for (const outcome of JSON.parse(readFileSync(report, "utf8")).testResults.flatMap(outcomes)) {
    counts[outcome in counts ? outcome : "skipped"]++;
  }
} catch (error) {
  console.log(`no test report: ${error.message}`);
}
// A run that ended badly never counts as good: the build or the linter failed, or something outside of any test.
if (Number(status) !== 0 && counts.failed === 0) counts.failed = 1;
if (counts.passed === 0 && counts.failed === 0) counts.failed = 1;
console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ""}`);
process.exitCode = counts.failed === 0 ? 0 : 1;
