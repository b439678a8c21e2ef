import { expect, test } from "vitest";
import { parseContainerName, randomName } from "./names.js";

test("a name is stored with one slash in front", () => {
  expect(parseContainerName("web-1_a.b")).toBe("/web-1_a.b");
  expect(parseContainerName("/web")).toBe("/web");
});

test.for(["a", "-a", ".ab", "a b", "ä1", "a/b", "//ab", "", "ab\n"])("%j is no name", (name) => {
  expect(() => parseContainerName(name)).toThrow(
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
});

test("random names are adjective_surname, valid, and avoid those that are taken", () => {
  const names = Array.from({ length: 200 }, () => randomName(() => false));
  for (const name of names) {
    expect(name).toMatch(/^\/[a-z]+_[a-z]+$/);
    expect(parseContainerName(name)).toBe(name);
  }
  expect(new Set(names).size).toBeGreaterThan(150);
  expect(randomName((name) => !/\d/.test(name))).toMatch(/^\/[a-z]+_[a-z]+\d+$/);
});
