import { describe, expect, test } from "vitest";
import { nowNs, rfc3339 } from "../../spec/index.js";
import { humanDuration, statusOf, statusText } from "./state-text.js";
import { neverRun } from "./stored.js";

test.for([
  [0.9, "Less than a second"],
  [1.5, "1 second"],
  [59, "59 seconds"],
  [60, "About a minute"],
  [120, "2 minutes"],
  [59 * 60, "59 minutes"],
  [60 * 60, "About an hour"],
  [89 * 60, "About an hour"],
  [90 * 60, "2 hours"],
  [47 * 3600, "47 hours"],
  [48 * 3600, "2 days"],
  [13.9 * 86_400, "13 days"],
  [14 * 86_400, "2 weeks"],
  [59 * 86_400, "8 weeks"],
  [60 * 86_400, "2 months"],
  [729 * 86_400, "24 months"],
  [730 * 86_400, "2 years"],
] as const)("%d seconds are %s", ([seconds, text]) => {
  expect(humanDuration(seconds)).toBe(text);
});

describe("a container's state", () => {
  const ago = (seconds: number) => rfc3339(nowNs() - BigInt(seconds) * 1_000_000_000n);
  const ran = { ...neverRun(), StartedAt: ago(600), FinishedAt: ago(5) };
  const running = { ...ran, Running: true, StartedAt: ago(125) };
  test.for([
    [neverRun(), "created", "Created"],
    [{ ...ran, ExitCode: 3 }, "exited", "Exited (3) 5 seconds ago"],
    [running, "running", "Up 2 minutes"],
    [{ ...running, Paused: true }, "paused", "Up 2 minutes (Paused)"],
    [{ ...running, Health: { Status: "healthy", FailingStreak: 0, Log: null } }, "running", "Up 2 minutes (healthy)"],
    [
      { ...running, Health: { Status: "starting", FailingStreak: 0, Log: null } },
      "running",
      "Up 2 minutes (health: starting)",
    ],
    [{ ...running, Restarting: true, ExitCode: 1 }, "restarting", "Restarting (1) 5 seconds ago"],
    [{ ...ran, RemovalInProgress: true }, "removing", "Removal In Progress"],
    [{ ...ran, Dead: true }, "dead", "Dead"],
  ] as const)("%j", ([state, word, text]) => {
    expect([statusOf(state), statusText(state)]).toEqual([word, text]);
  });
});
