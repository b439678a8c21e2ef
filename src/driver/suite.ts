import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attaching } from "./suite/attaching.js";
import { basics } from "./suite/basics.js";
import { Bench, type OpenDriver } from "./suite/bench.js";
import type { AddTest, Cases } from "./suite/cases.js";
import { confinement } from "./suite/confinement.js";
import { contents } from "./suite/contents.js";
import { differences } from "./suite/differences.js";
import { lifetimes } from "./suite/lifetimes.js";
import { stacks } from "./suite/stacks.js";

const chapters: Readonly<Record<string, Cases>> = {
  basics,
  contents,
  confinement,
  differences,
  lifetimes,
  stacks,
  attaching,
};

/**
 * What every driver has to do, as tests.
 *
 * @param skips names of tests, or of chapters, that do not hold for this driver, each with the reason
 */
export function describeDriver(name: string, open: OpenDriver, skips: Readonly<Record<string, string>> = {}): void {
  describe(`driver ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await Bench.open(open);
    });
    afterAll(() => bench?.[Symbol.asyncDispose]());
    const unknown = new Set(Object.keys(skips));
    const addTo =
      (chapter: string): AddTest =>
      (title, run, timeoutMs) => {
        for (const name of [title, chapter]) unknown.delete(name);
        const reason = skips[title] ?? skips[chapter];
        if (reason === undefined) test(title, run, timeoutMs);
        else test.skip(`${title} (${reason})`, run);
      };
    for (const [chapter, cases] of Object.entries(chapters))
      describe(chapter, () => cases(addTo(chapter), () => bench, open));
    test("every skip names a test or a chapter", () => expect([...unknown]).toEqual([]));
  });
}
