import { lstatSync } from "node:fs";
import { compareTrees } from "../driver/index.js";
import { encodeName, type Path } from "../spec/index.js";
import type { CompareJob } from "./jobs.js";

/** @returns the first difference. For worker threads */
export function compare({ a, b, exact = false, uppers }: CompareJob): string | undefined {
  const enters = uppers && ((path: Path) => uppers.some((upper) => isDirectory(upper, path)));
  return compareTrees(a, b, { exact, ...(enters && { enters }) });
}

function isDirectory(upper: string, path: Path): boolean {
  const at = Buffer.concat([Buffer.from(`${upper}/`), encodeName(path)]);
  return lstatSync(at, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
