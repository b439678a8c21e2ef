import { nowNs, rfc3339 } from "../../spec/index.js";
import type { WaitResult } from "../api-process.js";
import type { Container } from "../container/container-store.js";
import type { StoredContainer, StoredState } from "../container/stored.js";

/** The container with some of its state changed. */
export function withState(container: Container, state: Partial<StoredState>): Container {
  const { stored } = container;
  return { ...container, stored: { ...stored, State: { ...stored.State, ...state } } };
}

/** The container with something else of its file changed. */
export function withStored(container: Container, change: Partial<StoredContainer>): Container {
  return { ...container, stored: { ...container.stored, ...change } };
}

export function running(pid: number, startedAtNs: bigint): Partial<StoredState> {
  const fresh = { Paused: false, Restarting: false, OOMKilled: false, ExitCode: 0, Error: "" };
  return { ...fresh, Running: true, Pid: pid, StartedAt: rfc3339(startedAtNs) };
}

export interface EndOfProcess {
  readonly exitCode: number;
  readonly oomKilled?: boolean;
  readonly atNs?: bigint;
  readonly error?: string;
}

export function stopped({ exitCode, oomKilled = false, atNs = nowNs(), error }: EndOfProcess): Partial<StoredState> {
  const still = { Running: false, Paused: false, Restarting: false, Pid: 0 };
  const how = { ExitCode: exitCode, OOMKilled: oomKilled, FinishedAt: rfc3339(atNs) };
  return { ...still, ...how, ...(error && { Error: error }) };
}

/** It counts as running, so that it can be stopped meanwhile. */
export function restarting(end: EndOfProcess): Partial<StoredState> {
  return { ...stopped(end), Running: true, Restarting: true };
}

/** What a wait tells of this state. */
export function resultOf({ ExitCode, Error: message }: StoredState): WaitResult {
  return { StatusCode: ExitCode, Error: message ? { Message: message } : null };
}
