import { DetachKeys, detachKeys, messageOf } from "../../spec/index.js";
import { WrongUsage } from "../failure.js";

/** What is typed to leave a process, as it was written, and the bytes that the keys send. */
export interface Keys {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** @throws WrongUsage */
export function keysOf(text: string): Keys {
  try {
    return { text, bytes: detachKeys(text) };
  } catch (error) {
    throw new WrongUsage(`--detach-keys ${text}: ${messageOf(error)}: want single characters, or ctrl- and one`);
  }
}

/**
 * Passes on what is typed until the keys are.
 *
 * @returns whether they were typed: false at the end of the input
 */
export async function* untilKeys(input: AsyncIterable<Uint8Array>, keys: Keys): AsyncGenerator<Uint8Array, boolean> {
  const detaching = new DetachKeys(keys.bytes);
  for await (const chunk of input) {
    const { passed, found } = detaching.take(chunk);
    if (passed.length > 0) yield passed;
    if (found) return true;
  }
  const rest = detaching.rest();
  if (rest.length > 0) yield rest;
  return false;
}
