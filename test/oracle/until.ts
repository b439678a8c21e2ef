import { setTimeout as delay } from "node:timers/promises";

/** Resolves when `condition` holds; looks every few milliseconds. @throws Error: it does not within `limitMs` */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  for (const end = performance.now() + limitMs; !(await condition()); await delay(5)) {
    if (performance.now() > end) throw new Error(`not so within ${limitMs / 1000} s: ${condition}`);
  }
}
