import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Program } from "./runtime-of.js";
import { hostFacts } from "./spec/host-facts.js";

const run = promisify(execFile);
const known = new Map<string, Promise<boolean>>();

/**
 * Whether what is mounted below a read-only mount can be made read-only with it: by Linux 5.12 and a runtime that says
 * so (`features`). It is asked once.
 */
export function canReadOnlyDeeply(program: Program): Promise<boolean> {
  const [major, minor] = hostFacts().kernel;
  if (major < 5 || (major === 5 && minor < 12)) return Promise.resolve(false);
  const key = JSON.stringify(program);
  const answer = known.get(key) ?? ask(program);
  known.set(key, answer);
  return answer;
}

/** One that does not know the question does not know the option. */
async function ask({ runtime, runtimeArgs = [] }: Program): Promise<boolean> {
  try {
    const { stdout } = await run(runtime, [...runtimeArgs, "features"], { cwd: "/" });
    const { mountOptions } = JSON.parse(stdout) as { mountOptions?: readonly string[] };
    return mountOptions?.includes("rro") ?? false;
  } catch {
    return false;
  }
}
