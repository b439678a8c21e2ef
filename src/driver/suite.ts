import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basics } from "./suite/basics.js";
import { Bench, type OpenDriver } from "./suite/bench.js";
import type { AddTest, Cases } from "./suite/cases.js";
import { confinement } from "./suite/confinement.js";
import { contents } from "./suite/contents.js";
import { differences } from "./suite/differences.js";
import { lifetimes } from "./suite/lifetimes.js";
import { stacks } from "./suite/stacks.js";

const chapters: Readonly<Record<string, Cases>> = { basics, contents, confinement, differences, lifetimes, stacks };

/**
 * What every driver has to do, as tests.
 *
 * @param skips names of tests that do not hold for this driver, each with the reason
 */
export function describeDriver(name: string, open: OpenDriver, skips: Readonly<Record<string, string>> = {}): void {
  describe(`driver ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await Bench.open(open);
    });
    afterAll(() => bench?.[Symbol.asyncDispose]());
    const unknown = new Set(Object.keys(skips));
    const add: AddTest = (title, run, timeoutMs) => {
      unknown.delete(title);
      const reason = skips[title];
      if (reason === undefined) test(title, run, timeoutMs);
      else test.skip(`${title} (${reason})`, run);
    };
    for (const [chapter, cases] of Object.entries(chapters)) describe(chapter, () => cases(add, () => bench, open));
    test("every skip names a test", () => expect([...unknown]).toEqual([]));
  });
}
