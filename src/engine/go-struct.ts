import { InvalidParameter, RawNumber } from "../spec/index.js";

/**
 * A kind of field in a Go struct: how JSON from a client is taken into it. As in Go, keys are matched without regard
 * to case, unknown ones are dropped, and null leaves the zero value.
 */
export interface Kind<T> {
  readonly zero: T;
  /** @param at where the value stands, for the error. @throws InvalidParameter: a value of another kind */
  read(value: unknown, at: string): T;
}

function scalar<T>(type: string, zero: T, fits: (value: unknown) => boolean): Kind<T> {
  return {
    zero,
    read(value, at) {
      if (value == null) return zero;
      if (!fits(value)) throw mismatch(value, at, type);
      return value as T;
    },
  };
}

function mismatch(value: unknown, at: string, type: string): InvalidParameter {
  const got = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return new InvalidParameter(`json: cannot unmarshal ${got} into Go struct field ${at} of type ${type}`);
}

export const text = scalar<string>("string", "", (value) => typeof value === "string");
export const flag = scalar<boolean>("bool", false, (value) => typeof value === "boolean");
export const integer = scalar<number | RawNumber>(
  "int64",
  0,
  (value) => Number.isInteger(value) || value instanceof RawNumber,
);
/** Anything, taken as it is. */
export const anything = scalar<unknown>("any", null, () => true);
/** An empty object, as the values of `ExposedPorts` and `Volumes` are. */
export const nothing = scalar<object>("struct {}", {}, (value) => typeof value === "object");

/** A value that may be absent: null then. */
export function pointer<T>(kind: Kind<T>): Kind<T | null> {
  return { zero: null, read: (value, at) => (value == null ? null : kind.read(value, at)) };
}

export function list<T>(item: Kind<T>): Kind<T[] | null> {
  return {
    zero: null,
    read(value, at) {
      if (value == null) return null;
      if (!Array.isArray(value)) throw mismatch(value, at, "[]");
      return value.map((each) => item.read(each, at));
    },
  };
}

/** A list of texts that may also come as one text, which is one word. */
export const words: Kind<string[] | null> = {
  zero: null,
  read: (value, at) => (typeof value === "string" ? [value] : list(text).read(value, at)),
};

/** A map from text, its keys in byte order as Go writes them. */
export function map<T>(item: Kind<T>): Kind<Record<string, T> | null> {
  return {
    zero: null,
    read(value, at) {
      if (value == null) return null;
      if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, at, "map");
      const entries = Object.entries(value).map(([key, each]) => [key, item.read(each, `${at}.${key}`)] as const);
      return Object.fromEntries(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    },
  };
}

type Fields = Readonly<Record<string, Kind<unknown>>>;
type Struct<F extends Fields> = { [K in keyof F]: F[K] extends Kind<infer T> ? T : never };

/**
 * An object with these fields, in this order; all are present, but those in `omitEmpty` only when they are not empty.
 */
export function struct<F extends Fields>(fields: F, omitEmpty: readonly (keyof F)[] = []): Kind<Struct<F>> {
  const keys = new Map(Object.keys(fields).map((key) => [key.toLowerCase(), key]));
  const build = (given: ReadonlyMap<string, unknown>, at: string) => {
    const read = Object.entries(fields).map(([key, kind]) => [key, kind.read(given.get(key), `${at}.${key}`)] as const);
    return Object.fromEntries(read.filter(([key, value]) => !omitEmpty.includes(key) || !isEmpty(value))) as Struct<F>;
  };
  return {
    get zero() {
      return build(new Map(), "");
    },
    read(value, at) {
      if (value == null) return build(new Map(), at);
      if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, at, "struct");
      const given = Object.entries(value).map(([key, field]) => [keys.get(key.toLowerCase()), field] as const);
      return build(new Map(given.filter((entry): entry is [string, unknown] => entry[0] !== undefined)), at);
    },
  };
}

/** What `omitempty` leaves out. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && !(value instanceof RawNumber) && Object.keys(value).length === 0;
}
