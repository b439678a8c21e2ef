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
  return new Unavailable(explained(reason, check), { cause });
}

/** Docker's words, and behind them the check that they are about. */
export function explained(reason: string, { name, found, needed, remedy = "none" }: Check): string {
  return `${reason} (${name}: found ${found}; needed: ${needed}; remedy: ${remedy})`;
}
