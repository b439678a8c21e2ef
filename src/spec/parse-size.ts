import { InvalidParameter } from "./errors.js";

const units = "kmgtp";

/** Bytes of a size as options give it: `10G`, `1.5 gib`, `500k`, plain bytes; units are powers of 1024. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i.exec(text.trim());
  if (!match) throw new InvalidParameter(`invalid size: '${text}'`);
  const power = match[2] === undefined ? 0 : units.indexOf(match[2].toLowerCase()) + 1;
  return Math.floor(Number(match[1]) * 1024 ** power);
}
