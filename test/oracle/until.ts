import { setTimeout as delay } from "node:timers/promises";

const limitMs = 10_000;

/** Resolves when `condition` holds; looks every few milliseconds. @throws Error: it does not within 10 s */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + limitMs; !(await condition()); await delay(5)) {
    if (performance.now() > end) throw new Error(`not so within ${limitMs / 1000} s: ${condition}`);
  }
}
