import { InvalidParameter } from "../spec/index.js";
import type { Filters } from "./api-system.js";

/** @throws InvalidParameter "Invalid filter 'KEY'": one that this list does not know */
export function checkFilters(filters: Filters, known: readonly string[]): void {
  const unknown = Object.keys(filters).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new InvalidParameter(`Invalid filter '${unknown}'`);
}

/** Whether one of the filter's values is among `values`; without such a filter everything passes. */
export function matchesExactly(filters: Filters, key: string, ...values: readonly string[]): boolean {
  const wanted = filters[key];
  return !wanted?.length || wanted.some((value) => values.includes(value));
}

/** Whether one of the filter's values is found in one of `texts`, taken as a regular expression or as it stands. */
export function matchesPattern(filters: Filters, key: string, ...texts: readonly string[]): boolean {
  const wanted = filters[key];
  return !wanted?.length || wanted.some((value) => texts.some((text) => text === value || found(value, text)));
}

function found(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}

type Labels = Readonly<Record<string, string>> | null | undefined;

/** Whether all of the filter's `KEY` and `KEY=VALUE` are among `labels`. */
export function matchesLabels(filters: Filters, labels: Labels, key = "label"): boolean {
  return (filters[key] ?? []).every((wanted) => hasLabel(labels, wanted));
}

/** The rule of prunes: all of `label`, none of `label!`. */
export function prunableByLabels(filters: Filters, labels: Labels): boolean {
  return matchesLabels(filters, labels) && !(filters["label!"] ?? []).some((wanted) => hasLabel(labels, wanted));
}

function hasLabel(labels: Labels, wanted: string): boolean {
  const at = wanted.indexOf("=");
  const name = at < 0 ? wanted : wanted.slice(0, at);
  if (!labels || !Object.hasOwn(labels, name)) return false;
  return at < 0 || labels[name] === wanted.slice(at + 1);
}

/** The truth value of a filter; undefined when it is not there. @throws InvalidParameter: neither true nor false */
export function flagFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters[key];
  if (!values?.length) return undefined;
  const truths = values.map((value) => ["1", "true"].includes(value.toLowerCase()));
  const valid = values.every((value) => /^(0|1|true|false)$/i.test(value));
  if (valid && truths.every((truth) => truth === truths[0])) return truths[0];
  throw new InvalidParameter(`Invalid filter '${key}=[${values.join(" ")}]'`);
}
