import type { Progress } from "../doctor/index.js";
import { showProgress, stderr } from "./progress.js";

/** How far something of the doctor's is, what it tells on its way, and last what came of it. */
export type Shown<Result, Told = never> = Progress | { readonly told: Told } | { readonly aux: Result };

/**
 * Shows on standard error how far it is, on a terminal or in a pipe as a pull is shown.
 *
 * @param tell for what is told on the way, in its place among the lines
 * @returns what comes last
 */
export async function shown<Result, Told = never>(
  events: AsyncIterable<Shown<Result, Told>>,
  tell?: (told: Told) => Promise<void>,
): Promise<Result> {
  const last: Result[] = [];
  async function* messages() {
    for await (const event of events) {
      if ("aux" in event) last.push(event.aux);
      else if (!("told" in event)) yield event;
      else {
        await tell?.(event.told);
        // What comes next begins below it.
        yield { stream: "" };
      }
    }
  }
  await showProgress(messages(), stderr);
  const [result] = last;
  if (result === undefined) throw new Error("it ended without a result");
  return result;
}
