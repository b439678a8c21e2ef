import { InvalidParameter } from "../../spec/index.js";

/**
 * Turns a JSON value of a request into a typed one, or throws InvalidParameter naming the place. Keys are matched
 * without regard to case, unknown keys are dropped, `null` counts as absent: what Go's decoder does, and what clients
 * have come to rely on.
 */
export type Shape<T> = (value: unknown, at: string) => T;

type Shaped<S> = S extends Shape<infer T> ? T : never;
type Fields = Readonly<Record<string, Shape<unknown>>>;
type Decoded<F extends Fields> = { -readonly [K in keyof F]?: Shaped<F[K]> };

export const text: Shape<string> = (value, at) => {
  if (typeof value !== "string") throw mismatch(at, "a text", value);
  return value;
};

export const flag: Shape<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw mismatch(at, "true or false", value);
  return value;
};

export const whole: Shape<number> = (value, at) => {
  if (!Number.isSafeInteger(value)) throw mismatch(at, "a whole number", value);
  return value as number;
};

/** Any JSON value, as it is. */
export const anything: Shape<unknown> = (value) => value;

/** A JSON object, as it is. */
export const anyObject: Shape<object> = (value, at) => objectAt(value, at);

export function list<T>(item: Shape<T>): Shape<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw mismatch(at, "a list", value);
    return value.map((element, index) => item(element, `${at}[${index}]`));
  };
}

export function map<T>(item: Shape<T>): Shape<Record<string, T>> {
  return (value, at) =>
    Object.fromEntries(Object.entries(objectAt(value, at)).map(([key, field]) => [key, item(field, `${at}.${key}`)]));
}

export function object<F extends Fields>(fields: F): Shape<Decoded<F>> {
  const spelling = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  return (value, at) => {
    const decoded: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(objectAt(value, at))) {
      const name = spelling.get(key.toLowerCase());
      if (name !== undefined && field !== null)
        decoded[name] = fields[name]!(field, at === "" ? name : `${at}.${name}`);
    }
    return decoded as Decoded<F>;
  };
}

function objectAt(value: unknown, at: string): object {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw mismatch(at, "an object", value);
  return value;
}

function mismatch(at: string, want: string, value: unknown): InvalidParameter {
  const got = JSON.stringify(value)?.slice(0, 60);
  return new InvalidParameter(
    `invalid JSON in request body: ${at === "" ? "the body" : at} must be ${want}, not ${got}`,
  );
}
