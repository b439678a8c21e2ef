import { expect, test } from "vitest";
import { filtersText } from "./filters.js";

test("filters of one key are gathered, values may hold equal signs", () => {
  expect(filtersText(["label=a=b", "Label=c", "dangling=true"])).toBe(
    '{"label":{"a=b":true,"c":true},"dangling":{"true":true}}',
  );
});

test("no filter is no parameter, one without a value is wrong usage", () => {
  expect(filtersText([])).toBeUndefined();
  expect(() => filtersText(["dangling"])).toThrow("want KEY=VALUE");
});
