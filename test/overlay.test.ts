import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { merge } from "../src/overlayfs/index.js";
import { onKernel, whyNoOverlay } from "./overlay/kernel.js";
import { linesOf } from "./overlay/lines.js";
import { onModel } from "./overlay/model.js";
import { plan } from "./overlay/script.js";

const why = whyNoOverlay();
if (why) console.log(`overlay: not compared with the kernel: ${why}`);
const runs = Number(process.env.OVERLAY_RUNS ?? 250);

describe.skipIf(why !== undefined)("random scripts on a real overlay mount and on the model", () => {
  let umask = 0;
  beforeAll(() => {
    umask = process.umask(0);
  });
  afterAll(() => process.umask(umask));

  test.for([
    ["as Docker mounts it", false],
    ["with redirect_dir=on", true],
  ] as const)("give the same answers, views and layers, %s", ([, redirectDir]) => {
    fc.assert(
      fc.property(plan, (drafts) => {
        const { script, outcome, layers } = onModel(drafts, redirectDir);
        expect(outcome, fc.stringify(script)).toEqual(onKernel(script, redirectDir));
        expect(linesOf(merge(layers))).toEqual(outcome.views.at(-1));
      }),
      { numRuns: runs },
    );
  });
});
