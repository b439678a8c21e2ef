import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { NotFound } from "../../spec/index.js";
import { parsePath, Root } from "./container-path.js";
import { goMode, pathStat } from "./path-stat.js";

const root = mkdtempSync(join(tmpdir(), "container-path-"));
mkdirSync(join(root, "d/sub"), { recursive: true });
mkdirSync(join(root, "etc"));
writeFileSync(join(root, "etc/passwd"), "inside\n");
writeFileSync(join(root, "f"), "1\n");
writeFileSync(join(root, "d/g"), "2\n");
for (const [name, target] of Object.entries({
  lf: "f",
  ld: "d",
  dang: "nowhere",
  up: "../../../../etc/passwd",
  abs: "/etc/passwd",
  lg: "ld/g",
  ldd: "d/../ld",
  loopa: "loopb",
  loopb: "loopa",
  "d/up": "..",
})) {
  symlinkSync(target, join(root, name));
}
afterAll(() => rmSync(root, { recursive: true }));

/** What dockerd 20.10 answered for the same tree. */
const answers: [asked: string, name: string, type: "dir" | "file" | "link", linkTarget: string][] = [
  ["/", "/", "dir", ""],
  [".", ".", "dir", ""],
  ["/.", ".", "dir", ""],
  ["/./", ".", "dir", ""],
  ["//", "/", "dir", ""],
  ["/f", "f", "file", ""],
  ["/lf", "lf", "link", "/f"],
  ["/ld", "ld", "link", "/d"],
  ["/ld/", "ld", "dir", ""],
  ["/ld/.", ".", "dir", ""],
  ["/d", "d", "dir", ""],
  ["/d/", "d", "dir", ""],
  ["/d/.", ".", "dir", ""],
  ["/d/..", "/", "dir", ""],
  ["/d/../f", "f", "file", ""],
  ["/dang", "dang", "link", "/nowhere"],
  ["/up", "up", "link", "/etc/passwd"],
  ["/abs", "abs", "link", "/etc/passwd"],
  ["/lg", "lg", "link", "/d/g"],
  ["/ldd", "ldd", "link", "/d"],
  ["/ldd/", "ldd", "dir", ""],
  ["/ld/g", "g", "file", ""],
  ["/d//g", "g", "file", ""],
  ["/../../f", "f", "file", ""],
  ["/ld/../f", "f", "file", ""],
  ["d/./", ".", "dir", ""],
];
const bits = { dir: 2 ** 31, file: 0, link: 2 ** 27 };
const gone = () => new NotFound("gone");

test.for(answers)("%s is looked at as by dockerd", ([asked, name, type, linkTarget]) => {
  using at = new Root(root);
  const stat = pathStat(at, parsePath(asked), gone);
  expect([stat.name, stat.mode - (stat.mode % 2 ** 27), stat.linkTarget]).toEqual([name, bits[type], linkTarget]);
});

describe("what is not to be had", () => {
  test.for(["nosuch", "/nosuch/", "/dang/", "/dang/.", "/f/g/h"])("%s is not there", (asked) => {
    using at = new Root(root);
    expect(() => pathStat(at, parsePath(asked), gone)).toThrow(/gone|not a directory/);
  });
  test.for(["/f/", "/f/.", "/lf/"])("%s is no directory", (asked) => {
    using at = new Root(root);
    expect(() => pathStat(at, parsePath(asked), gone)).toThrow("is not a directory");
  });
  test.for(["/loopa", "/loopa/", "/loopa/x"])("%s goes round in a circle", (asked) => {
    using at = new Root(root);
    expect(() => pathStat(at, parsePath(asked), gone)).toThrow("too many links");
  });
});

test("modes in Go's numbers", () => {
  expect([0o40755, 0o41777, 0o120777, 0o104755, 0o20600, 0o60600, 0o10644, 0o140755].map(goMode)).toEqual([
    2147484141, 2148532735, 134218239, 8389101, 69206400, 67109248, 33554852, 16777709,
  ]);
});

test("no path, whatever it is made of, leads out", () => {
  const name = fc.constantFrom("..", ".", "", "d", "ld", "up", "abs", "sub", "ldd", "etc", "nowhere");
  fc.assert(
    fc.property(fc.array(name, { maxLength: 8 }), (names) => {
      using at = new Root(root);
      const path = at.follow(`/${names.join("/")}`);
      expect(path).toMatch(/^\/($|[^/]+(\/[^/]+)*$)/);
      expect(path.split("/")).not.toContain("..");
    }),
  );
});
