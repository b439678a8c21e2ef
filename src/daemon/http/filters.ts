import type { Filters } from "../../engine/index.js";
import { InvalidParameter } from "../../spec/index.js";

/**
 * Reads a `filters` parameter: JSON in either of the two forms in use, `{"label":{"a=b":true}}` (the docker command)
 * and `{"label":["a=b"]}` (dockerode). Which keys a list knows is its own affair.
 *
 * @throws InvalidParameter: not JSON of either form
 */
export function parseFilters(text: string | undefined): Filters {
  if (text === undefined) return {};
  const bad = new InvalidParameter(
    `invalid filters ${text.slice(0, 200)}: want JSON like {"label":{"a=b":true}} or {"label":["a=b"]}`,
  );
  const value = parse(text, bad);
  if (value === null) return {};
  if (!isObject(value)) throw bad;
  return Object.fromEntries(Object.entries(value).map(([key, given]) => [key, valuesOf(given, bad)]));
}

function parse(text: string, bad: InvalidParameter): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bad;
  }
}

function valuesOf(given: unknown, bad: InvalidParameter): string[] {
  if (Array.isArray(given) && given.every((item) => typeof item === "string")) return given;
  if (!isObject(given) || !Object.values(given).every((on) => typeof on === "boolean")) throw bad;
  return Object.keys(given).filter((key) => given[key]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
