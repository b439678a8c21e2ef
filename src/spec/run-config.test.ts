import { expect, test } from "vitest";
import { parseRunConfig } from "./index.js";

test("keeps what it does not know, and null where Docker writes it", () => {
  const config = { Env: null, Cmd: ["a", "b"], Labels: { a: "b" }, Volumes: {}, Later: [1] };
  expect(parseRunConfig("config", config)).toEqual(config);
});

test("a plain text as command is one word", () => {
  expect(parseRunConfig("config", { Cmd: "ls -l", Entrypoint: "sh" })).toEqual({ Cmd: ["ls -l"], Entrypoint: ["sh"] });
});

test.for([
  [[], "config is not an object"],
  [{ Env: "A=b" }, "config.Env is not a list of texts"],
  [{ Cmd: [1] }, "config.Cmd is not a list of texts"],
  [{ Labels: { a: 1 } }, "config.Labels is not a set of names and texts"],
  [{ Volumes: ["/a"] }, "config.Volumes is not a set of names"],
  [{ User: 0 }, "config.User is not text"],
  [{ Healthcheck: [] }, "config.Healthcheck is not an object"],
] as const)("refuses %j", ([value, why]) => {
  expect(() => parseRunConfig("config", value)).toThrow(why);
});
