import { Unavailable } from "../../spec/index.js";

/** One thing that storage drivers need, and how it stands in a place. */
export interface Check {
  readonly name: string;
  readonly found: string;
  readonly needed: string;
  /** `warning`: drivers work, but less well, or only perhaps. */
  readonly outcome: "ok" | "warning" | "failed";
  /** What to do about it, where it is not `ok`. */
  readonly remedy?: string;
}

/** A driver cannot work since a check failed. @param reason in Docker's words */
export function refusal(reason: string, check: Check, cause?: unknown): Unavailable {
  const { name, found, needed, remedy = "none" } = check;
  return new Unavailable(`${reason} (${name}: found ${found}; needed: ${needed}; remedy: ${remedy})`, { cause });
}
