import { expect, test } from "vitest";
import { parseRunConfig } from "./index.js";

test("keeps what it does not know, and null where Docker writes it", () => {
  const config = {
    ...{ Env: null, Cmd: ["a", "b"], Labels: { a: "b" }, Volumes: { "/v": {} }, Tty: true, StopTimeout: 3 },
    ...{ Healthcheck: { Test: ["NONE"], Interval: 30e9 }, Later: [1] },
  };
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
  [{ Volumes: { a: 1 } }, "config.Volumes is not a set of names"],
  [{ Tty: 1 }, "config.Tty is not true or false"],
  [{ StopTimeout: 1.5 }, "config.StopTimeout is not an integer"],
  [{ Healthcheck: [] }, "config.Healthcheck is not a health check"],
  [{ Healthcheck: { Interval: "30s" } }, "config.Healthcheck is not a health check"],
  [{ Healthcheck: { Test: "x" } }, "config.Healthcheck is not a health check"],
] as const)("refuses %j", ([value, why]) => {
  expect(() => parseRunConfig("config", value)).toThrow(why);
});
