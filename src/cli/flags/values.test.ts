import { describe, expect, test } from "vitest";
import { WrongUsage } from "../failure.js";
import { mountRequest } from "./mount.js";
import { portBindings } from "./ports.js";
import { billionths, bytes, duration } from "./values.js";

describe("values that cannot be are wrong usage", () => {
  test.for([
    () => bytes("64x", "-m"),
    () => bytes("", "-m"),
    () => billionths("a", "--cpus"),
    () => duration("5", "--t"),
    () => duration("5s!", "--t"),
    () => portBindings(["x"], "-p"),
    () => portBindings(["70000"], "-p"),
    () => portBindings(["1-2:1-3"], "-p"),
    () => portBindings(["3-1"], "-p"),
    () => mountRequest("type=bind,what=ever,target=/x"),
    () => mountRequest("type=bind"),
  ])("%s", (read) => {
    expect(read).toThrow(WrongUsage);
  });
});

test.for([
  ["4096", 4096],
  ["64m", 64 << 20],
  ["1.5KiB", 1536],
  ["2 GB", 2 * 1024 ** 3],
] as const)("%s are %i bytes", ([text, number]) => {
  expect(bytes(text, "-m")).toBe(number);
});

test("a port of a range on the host is the daemon's choice", () => {
  expect(portBindings(["8000-8010:80"], "-p")).toEqual({ "80/tcp": [{ HostIp: "", HostPort: "8000-8010" }] });
});
