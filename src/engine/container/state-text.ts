import { nowNs, parseRFC3339 } from "../../spec/index.js";
import type { ContainerStatus } from "../api-container.js";
import type { StoredState } from "./stored.js";

/** The one word for a container's state. */
export function statusOf(state: StoredState): ContainerStatus {
  if (state.Running) return state.Paused ? "paused" : state.Restarting ? "restarting" : "running";
  if (state.RemovalInProgress) return "removing";
  if (state.Dead) return "dead";
  return hasRun(state) ? "exited" : "created";
}

/** Whether it was ever started. */
export function hasRun({ StartedAt }: StoredState): boolean {
  return secondsSince(StartedAt) !== undefined;
}

/** The text of the STATUS column: `Up 2 minutes (healthy)`, `Exited (0) 5 seconds ago`. */
export function statusText(state: StoredState): string {
  const { ExitCode, Health } = state;
  const up = () => humanDuration(secondsSince(state.StartedAt) ?? 0);
  const ago = () => `${humanDuration(secondsSince(state.FinishedAt) ?? 0)} ago`;
  switch (statusOf(state)) {
    case "paused":
      return `Up ${up()} (Paused)`;
    case "restarting":
      return `Restarting (${ExitCode}) ${ago()}`;
    case "running":
      return `Up ${up()}${healthText(Health?.Status)}`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
    case "exited":
      return secondsSince(state.FinishedAt) === undefined ? "" : `Exited (${ExitCode}) ${ago()}`;
  }
}

function healthText(status: string | undefined): string {
  if (!status || status === "none") return "";
  return status === "starting" ? " (health: starting)" : ` (${status})`;
}

/** Undefined for year 1, which is never. */
function secondsSince(time: string): number | undefined {
  const ns = parseRFC3339(time);
  return ns === undefined || time.startsWith("0001-") ? undefined : Number((nowNs() - ns) / 1_000_000n) / 1000;
}

/** A duration in the largest unit that fits, in words. */
export function humanDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 1) return "Less than a second";
  if (whole === 1) return "1 second";
  if (whole < 60) return `${whole} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return "About an hour";
  const days = hours / 24;
  if (hours < 48) return `${hours} hours`;
  if (days < 14) return `${Math.floor(days)} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}
