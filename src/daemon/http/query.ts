import { InvalidParameter } from "../../spec/index.js";

/** Parameters of a query string, read by the engine API's rules. An empty value counts as absent. @see engine-api 1.4 */
export class Query {
  #params: URLSearchParams;

  constructor(text: string) {
    this.#params = new URLSearchParams(text);
  }

  text(name: string): string | undefined {
    return this.#params.get(name) || undefined;
  }

  /** All values of a repeated parameter, in order. */
  list(name: string): string[] {
    return this.#params.getAll(name).filter((value) => value !== "");
  }

  /** False when absent, empty, `0`, `no`, `false` or `none`; anything else is true. */
  flag(name: string, absent = false): boolean {
    const value = this.#params.get(name);
    if (value === null) return absent;
    return !["", "0", "no", "false", "none"].includes(value.trim().toLowerCase());
  }

  /** @throws InvalidParameter: not a whole number */
  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(number))
      throw new InvalidParameter(`invalid ${name} ${JSON.stringify(value)}: want a whole number`);
    return number;
  }

  /**
   * Unix seconds with an optional fraction, as nanoseconds since 1970.
   *
   * @throws InvalidParameter: not such a time
   */
  timeNs(name: string): bigint | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const match = /^(-?\d{1,12})(?:\.(\d{1,9})\d*)?$/.exec(value);
    if (!match) throw new InvalidParameter(`invalid ${name} ${JSON.stringify(value)}: want seconds since 1970`);
    const [, seconds = "", fraction = ""] = match;
    return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  }
}
