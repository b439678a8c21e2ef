import { InvalidParameter } from "../../spec/index.js";

const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * A duration as Go writes it (`1h30m`, `1.5s`, `-2ms`), in nanoseconds.
 *
 * @throws InvalidParameter: none
 */
export function parseDuration(text: string): number {
  const whole = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (!whole && !/^[+-]?0$/.test(text)) throw new InvalidParameter(`time: invalid duration ${JSON.stringify(text)}`);
  const parts = [...(whole?.[2] ?? "").matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)];
  const total = parts.reduce((sum, [, number = "", unit = ""]) => sum + Number(number) * (units[unit] ?? 0), 0);
  return Math.round(total) * (whole?.[1] === "-" ? -1 : 1);
}
