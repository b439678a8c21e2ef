import { expect, test } from "vitest";
import { challengesIn } from "./challenge.js";

test.for([
  [undefined, []],
  ["", []],
  ["Basic", [{ scheme: "basic", parameters: {} }]],
  ['Basic realm="a \\"b\\", c"', [{ scheme: "basic", parameters: { realm: 'a "b", c' } }]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      {
        scheme: "bearer",
        parameters: {
          ...{ realm: "https://auth.example/token", service: "registry.example" },
          scope: "repository:a/b:pull,push",
        },
      },
    ],
  ],
  [
    'BASIC Realm=x, Bearer realm="y" , error = "insufficient_scope"',
    [
      { scheme: "basic", parameters: { realm: "x" } },
      { scheme: "bearer", parameters: { realm: "y", error: "insufficient_scope" } },
    ],
  ],
  [
    "Negotiate, Basic realm=x",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "x" } },
    ],
  ],
  ['"what"', []],
] as const)("%s", ([header, challenges]) => {
  expect(challengesIn(header)).toEqual(challenges);
});

test("a long header takes no long time", () => {
  expect(challengesIn(`Bearer ${"a=b,".repeat(100_000)}`)).toHaveLength(1);
  expect(challengesIn(`Bearer ${'a="'.repeat(5_000)}`).length).toBeLessThan(3);
});
