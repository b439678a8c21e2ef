import { describe, expect, test } from "vitest";
import type { RunConfig } from "../../spec/index.js";
import { fullRunConfig } from "../run-config.js";
import { mergeConfig } from "./merge-config.js";

const image: RunConfig = {
  User: "bob",
  Env: ["PATH=/bin", "A=image"],
  Cmd: ["serve"],
  Entrypoint: ["/init"],
  ExposedPorts: { "80/tcp": {} },
  Volumes: { "/data": {} },
  Labels: { a: "image", b: "image" },
  WorkingDir: "/srv",
  StopSignal: "SIGQUIT",
  Healthcheck: { Test: ["CMD", "ok"], Interval: 5e9, Retries: 2 },
};
const merged = (config: RunConfig) => mergeConfig(fullRunConfig(config), image);

describe("which command runs", () => {
  test("without one of its own, the image's entrypoint and command", () => {
    expect(merged({})).toMatchObject({ Entrypoint: ["/init"], Cmd: ["serve"] });
  });
  test("an own command goes to the image's entrypoint", () => {
    expect(merged({ Cmd: ["x"] })).toMatchObject({ Entrypoint: ["/init"], Cmd: ["x"] });
  });
  test("an own entrypoint takes the image's command away", () => {
    expect(merged({ Entrypoint: ["/sh"] })).toMatchObject({ Entrypoint: ["/sh"], Cmd: null });
  });
  test("an empty entrypoint takes the image's away and keeps its command", () => {
    expect(merged({ Entrypoint: [] })).toMatchObject({ Entrypoint: [], Cmd: ["serve"] });
  });
});

test("environment: the container's own first, then what the image adds under other names", () => {
  expect(merged({ Env: ["A=own", "B"] }).Env).toEqual(["A=own", "B", "PATH=/bin"]);
});

test("labels, ports and volumes are joined; single values are the container's if it has them", () => {
  expect(merged({ Labels: { a: "own" }, ExposedPorts: { "90/udp": {} }, User: "eve" })).toMatchObject({
    Labels: { a: "own", b: "image" },
    ExposedPorts: { "80/tcp": {}, "90/udp": {} },
    Volumes: { "/data": {} },
    User: "eve",
    WorkingDir: "/srv",
    StopSignal: "SIGQUIT",
  });
});

test("a health check is filled up key by key", () => {
  expect(merged({ Healthcheck: { Interval: 1e9 } }).Healthcheck).toEqual({
    Test: ["CMD", "ok"],
    Interval: 1e9,
    Retries: 2,
  });
});
