import fc from "fast-check";
import { expect, test } from "vitest";
import { Seen } from "./seen.js";

test("a name is new once", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 6 })), (names) => {
      const seen = new Seen();
      const known = new Set<string>();
      const wrong = [...names, ...names].filter((name) => seen.add(name) === known.has(name) || !known.add(name));
      expect(wrong).toEqual([]);
      expect(seen.size).toBe(known.size);
    }),
  );
});

test("a million names like those of real layers are all different, in a few bytes each", () => {
  const before = process.memoryUsage().arrayBuffers;
  const seen = new Seen();
  for (let i = 0; i < 1_000_000; i++) seen.add(`usr/lib/node_modules/package-${i >> 5}/dist/file-${i & 31}.js`);
  expect(seen.size).toBe(1_000_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60e6);
  expect(seen.add("usr/lib/node_modules/package-77/dist/file-7.js")).toBe(false);
});

test("names that differ little differ", () => {
  const seen = new Seen();
  for (let a = 0; a < 256; a++) for (let b = 0; b < 256; b++) seen.add(String.fromCharCode(a, b));
  for (let length = 3; length < 500; length++) seen.add("\0".repeat(length));
  expect(seen.size).toBe(65536 + 497);
});
