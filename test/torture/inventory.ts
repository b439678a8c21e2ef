import { output } from "../oracle/run.js";

/**
 * All that lies in a root, files with their sizes; but not what may come to stay: the marks of layers that had a
 * container once, and what is known of layers' places in registries.
 */
export async function inventory(root: string): Promise<string[]> {
  const printed = ["-type", "f", "-printf", "%P %s\\n", "-o", "-printf", "%P\\n"];
  const all = await output("find", [root, "-xdev", ...printed]);
  const lines = all.split("\n").filter((line) => !line.endsWith("/committed 0") && !line.includes("/distribution"));
  return lines.map((line) => line.replace(/(lastUpdated) \d+$/, "$1")); // nanoseconds without zeros at their end
}

/** @returns a line for each thing that is gone, or there in addition */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  const gone = before.filter((line) => !is.has(line)).map((line) => `gone: ${line}`);
  return [...gone, ...after.filter((line) => !was.has(line)).map((line) => `left: ${line}`)];
}
