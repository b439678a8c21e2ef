import { parseSize, parseSpan } from "../spec/index.js";
import { type Located, Misplaced, plainOf } from "./located.js";

/** What a key's value may be: gives it, or says where it is something else. @param name of the value, to be told */
export type Kind<T> = (node: Located, name: string) => T;

export type ValueOf<K> = K extends Kind<infer T> ? T : never;

export const flag: Kind<boolean> = (node, name) => {
  if (node.kind === "plain" && typeof node.value === "boolean") return node.value;
  throw mismatch(node, name, "true or false");
};

export const text: Kind<string> = (node, name) => {
  if (node.kind === "plain" && typeof node.value === "string") return node.value;
  throw mismatch(node, name, "a text");
};

/** A size in bytes, as text: `64M`. */
export const bytes: Kind<number> = (node, name) => {
  const given = text(node, name);
  try {
    return parseSize(given);
  } catch {
    throw mismatch(node, name, "a size like 64M");
  }
};

/** A span of time as text, `10m` or `1h30m`; in milliseconds. */
export const duration: Kind<number> = (node, name) => {
  try {
    return parseSpan(text(node, name));
  } catch {
    throw mismatch(node, name, "a time like 10m or 1h30m");
  }
};

export const whole: Kind<number> = (node, name) => {
  if (node.kind === "plain" && Number.isSafeInteger(node.value)) return node.value as number;
  throw mismatch(node, name, "a whole number");
};

/** A whole number, `least` or more. */
export function atLeast(least: number): Kind<number> {
  return (node, name) => {
    if (node.kind === "plain" && Number.isSafeInteger(node.value) && Number(node.value) >= least)
      return Number(node.value);
    throw mismatch(node, name, `a whole number from ${least} on`);
  };
}

/** One of a few words, in any case. */
export function word<W extends string>(...words: readonly W[]): Kind<W> {
  return (node, name) => {
    const given = node.kind === "plain" ? String(node.value).toLowerCase() : "";
    const found = words.find((known) => known === given);
    if (found === undefined) throw mismatch(node, name, `one of ${words.join(", ")}`);
    return found;
  };
}

export function list<T>(item: Kind<T>): Kind<T[]> {
  return (node, name) => {
    if (node.kind !== "list") throw mismatch(node, name, "a list");
    return node.items.map((each, index) => item(each, `${name}[${index}]`));
  };
}

export function map<T>(item: Kind<T>): Kind<Record<string, T>> {
  return (node, name) => {
    if (node.kind !== "object") throw mismatch(node, name, "an object");
    return Object.fromEntries(node.fields.map(({ key, value }) => [key, item(value, `${name}.${key}`)]));
  };
}

/** Any JSON value. */
export const anything: Kind<unknown> = plainOf;

/** An empty one of these alone: the thing is not to be had here, and to go on without it would do harm. */
export function off(kind: Kind<string | readonly string[]>, why: string): Kind<undefined> {
  return (node, name) => {
    if (kind(node, name).length > 0) throw new Misplaced(node.at, `${name} is not supported: ${why}`);
  };
}

function mismatch(node: Located, name: string, want: string): Misplaced {
  return new Misplaced(node.at, `${name} must be ${want}, not ${JSON.stringify(plainOf(node)).slice(0, 60)}`);
}
