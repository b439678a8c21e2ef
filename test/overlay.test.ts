import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { apply, changes, changesOf, merge, type Tree, treeOf } from "../src/overlayfs/index.js";
import { mergedByKernel, onKernel, whyNoOverlay } from "./overlay/kernel.js";
import { layers, rareLayers } from "./overlay/layers.js";
import { linesOf } from "./overlay/lines.js";
import { onModel } from "./overlay/model.js";
import { plan } from "./overlay/script.js";

vi.setConfig({ testTimeout: 300_000 });
const why = whyNoOverlay();
if (why) console.log(`overlay: not compared with the kernel: ${why}`);
const runs = Number(process.env.OVERLAY_RUNS ?? 150);

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

  test.for(Object.entries(rareLayers))("%s, as in the kernel", ([, stack]) => {
    expect(linesOf(merge(stack))).toEqual(mergedByKernel(stack));
  });

  test.for([
    ["without redirects", false],
    ["with redirects", true],
  ] as const)("any layers merge as the kernel merges them, %s", ([, redirects]) => {
    fc.assert(
      fc.property(layers(redirects), (stack) => {
        expect(linesOf(merge(stack)), stack.map((layer) => linesOf(layer).join("\n")).join("\n---\n")).toEqual(
          mergedByKernel(stack),
        );
      }),
      { numRuns: runs / 2 },
    );
  });
});

test("the difference of any two states, applied to the first, gives the second", () => {
  fc.assert(
    fc.property(plan, fc.nat(), fc.nat(), (drafts, from, to) => {
      const { layers: all } = onModel(drafts);
      const [lower, upper] = [from, to].map((pick) => merge(all.slice(0, 1 + (pick % all.length)))) as [Tree, Tree];
      expect(linesOf(apply(lower, changes(lower, upper)))).toEqual(linesOf(upper));
      if (linesOf(lower).join() === linesOf(upper).join()) expect([...changes(lower, upper)]).toEqual([]);
    }),
    { numRuns: 2 * runs },
  );
});

test("a layer's tree is its changes, and its changes are the tree", () => {
  fc.assert(
    fc.property(plan, fc.boolean(), (drafts, redirectDir) => {
      for (const layer of onModel(drafts, redirectDir).layers) {
        expect(linesOf(treeOf(changesOf(layer), layer.meta))).toEqual(linesOf(layer));
      }
    }),
    { numRuns: runs },
  );
});
