import { readFile } from "node:fs/promises";
import { InvalidParameter, isErrno, messageOf, NotFound } from "../spec/index.js";
import { type ConfigFile, idle, newer, own, used } from "./keys.js";
import type { Kind } from "./kinds.js";
import { type Field, Misplaced, type Place, parseLocated, placeOf, plainOf } from "./located.js";
import { nearest } from "./nearest.js";

const kinds: Readonly<Record<string, Kind<unknown>>> = { ...idle, ...newer, ...used, ...own };

/** Those that say something here. */
const meant = { ...used, ...own };

/** A `daemon.json` that has been read. */
export interface Config {
  readonly path: string;
  readonly values: ConfigFile;
  /** All that was set, of whatever key, as it was written. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Keys set that have no effect here. */
  readonly idle: readonly string[];
  /** Where the value of each stands. */
  readonly places: Readonly<Record<string, Place>>;
}

/**
 * Has a value of the file judged by who knows what it means.
 *
 * @throws InvalidParameter: what `judge` throws, with the file and the place of the value
 */
export function judged<T>({ path, places }: Config, key: string, judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    const { line, column } = places[key]!;
    throw new InvalidParameter(`config file ${path}: line ${line}, column ${column}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Reads a `daemon.json`: dockerd's keys, those that have no meaning here as well.
 *
 * @throws NotFound; InvalidParameter: not JSON, a value of the wrong kind, or a key that nobody knows, with its place
 */
export async function readConfig(path: string): Promise<Config> {
  try {
    return { path, ...parseConfig(await readFile(path, "utf8")) };
  } catch (error) {
    if (isErrno(error, "ENOENT")) throw new NotFound(`config file ${path} does not exist`, { cause: error });
    throw new InvalidParameter(`config file ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws Error: what is wrong, with line and column */
export function parseConfig(content: string): Omit<Config, "path"> {
  try {
    return configOf(content);
  } catch (error) {
    if (!(error instanceof Misplaced)) throw error;
    const { line, column } = placeOf(error.at, content);
    throw new Error(`line ${line}, column ${column}: ${error.message}`, { cause: error });
  }
}

function configOf(content: string): Omit<Config, "path"> {
  const file = parseLocated(content);
  if (file.kind !== "object") throw new Misplaced(file.at, "expected { and keys, as in daemon.json");
  assertKnown(file.fields);
  assertOneRoot(file.fields);
  const set = file.fields.filter(({ value }) => !(value.kind === "plain" && value.value === null));
  const read = set.map(({ key, value }) => [key, kinds[key]!(value, key)] as const);
  return {
    values: Object.fromEntries(read.filter(([key]) => key in meant)) as ConfigFile,
    given: Object.fromEntries(set.map(({ key, value }) => [key, plainOf(value)])),
    places: Object.fromEntries(set.map(({ key, value }) => [key, placeOf(value.at, content)])),
    idle: [...new Set(set.map(({ key }) => key))].filter((key) => !(key in meant)),
  };
}

/** @throws Misplaced in dockerd's words */
function assertOneRoot(fields: readonly Field[]): void {
  const [old, root] = ["graph", "data-root"].map((name) => fields.find(({ key }) => key === name));
  if (old && root) throw new Misplaced(old.at, 'cannot specify both "graph" and "data-root" config file options');
}

function assertKnown(fields: readonly Field[]): void {
  const unknown = fields.filter(({ key }) => !Object.hasOwn(kinds, key));
  if (unknown.length === 0) return;
  const told = unknown.map(({ key }) => {
    const meant = nearest(key, Object.keys(kinds));
    return meant === undefined ? key : `${key} (did you mean ${meant}?)`;
  });
  throw new Misplaced(
    unknown[0]!.at,
    `the following directives don't match any configuration option: ${told.join(", ")}`,
  );
}
