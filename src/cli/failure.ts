import { isErrno, messageOf } from "../spec/index.js";

/** The command line asks for what cannot be: exit status 2. */
export class WrongUsage extends Error {}

/** Some of several things asked for failed; each has been reported. */
export class SomeFailed extends Error {}

/** Something failed, and the exit status says more about it than usual. */
export class FailedWith extends Error {
  readonly status: number;
  constructor(status: number, cause: unknown) {
    super(messageOf(cause), { cause });
    this.status = status;
  }
}

/**
 * Prints what went wrong, in one line, and gives the exit status.
 *
 * @param failed what it is for a command whose own failures are told from those of a program it runs
 */
export function report(error: unknown, debug: boolean, failed?: number): number {
  if (error instanceof FailedWith) return report(error.cause, debug, error.status);
  // The reader of a pipe has enough: `layerkit images | head -1`.
  if (isErrno(error, "EPIPE")) return 0;
  if (!(error instanceof SomeFailed)) process.stderr.write(`layerkit: ${oneLine(messageOf(error))}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`);
  return failed ?? (error instanceof WrongUsage ? 2 : 1);
}

/** Runs `one` for each name. A failure is reported and does not keep the others from being done. */
export async function each(names: readonly string[], one: (name: string) => Promise<void>): Promise<void> {
  let failed = 0;
  for (const name of names) {
    try {
      await one(name);
    } catch (error) {
      if (names.length === 1 || (error as Error).name === "AbortError") throw error;
      process.stderr.write(`layerkit: ${oneLine(messageOf(error))}\n`);
      failed += 1;
    }
  }
  if (failed > 0) throw new SomeFailed(`${failed} of ${names.length} failed`);
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? ""}${cause}`;
}
