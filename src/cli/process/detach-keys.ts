import { WrongUsage } from "../failure.js";

/** What is typed to leave a container running. */
export const usualKeys = "ctrl-p,ctrl-q";

const control = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

/** `ctrl-p,ctrl-q` or `a,b` as the bytes that the keys send. @throws WrongUsage */
export function detachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(","), (key) => {
    const held = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase();
    const code = held === undefined ? -1 : control.indexOf(held);
    if (code >= 0) return code;
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw new WrongUsage(
      `--detach-keys ${text}: ${JSON.stringify(key)} is no key: want one character, or ctrl- and one`,
    );
  });
}

/**
 * Passes on what is typed until the keys are, one right after the other; the beginning of them is held back until it
 * is clear that it is none.
 *
 * @returns whether they were typed: false at the end of the input
 */
export async function* untilKeys(
  input: AsyncIterable<Uint8Array>,
  keys: Uint8Array,
): AsyncGenerator<Uint8Array, boolean> {
  let matched = 0;
  for await (const chunk of input) {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== keys[matched]) {
        passed.push(...keys.subarray(0, matched));
        matched = 0;
      }
      if (byte === keys[matched]) matched += 1;
      else passed.push(byte);
      if (matched === keys.length) {
        if (passed.length > 0) yield Uint8Array.from(passed);
        return true;
      }
    }
    if (passed.length > 0) yield Uint8Array.from(passed);
  }
  if (matched > 0) yield keys.subarray(0, matched);
  return false;
}
