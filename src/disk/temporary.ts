import { randomInt } from "node:crypto";

/** What Docker's atomic write calls its half-written files: `.tmp-`, the name, digits. @see moby pkg/ioutils */
export function temporaryName(base: string): string {
  return `.tmp-${base}${randomDigits()}`;
}

export function isTemporary(name: string): boolean {
  return /^\.tmp-.*\d$/s.test(name);
}

export function randomDigits(): string {
  return String(randomInt(1e9, 1e10));
}
