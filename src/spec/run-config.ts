import { InvalidParameter } from "./errors.js";

/** How a container of the image runs, in Docker's spelling. @see OCI image-spec v1.1 config.md */
export interface RunConfig {
  Hostname?: string;
  Domainname?: string;
  User?: string;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  ExposedPorts?: Record<string, object> | null;
  Tty?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  Env?: string[] | null;
  Cmd?: string[] | null;
  Healthcheck?: Healthcheck | null;
  ArgsEscaped?: boolean;
  Image?: string;
  Volumes?: Record<string, object> | null;
  WorkingDir?: string;
  Entrypoint?: string[] | null;
  NetworkDisabled?: boolean;
  MacAddress?: string;
  OnBuild?: string[] | null;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  StopTimeout?: number;
  Shell?: string[] | null;
}

/** Durations in nanoseconds. */
export interface Healthcheck {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

const lists = ["Env", "Cmd", "Entrypoint", "OnBuild", "Shell"] as const;
const sets = ["ExposedPorts", "Volumes", "Labels"] as const;
const texts = ["Hostname", "Domainname", "User", "Image", "WorkingDir", "MacAddress", "StopSignal"] as const;

/**
 * A run config out of JSON, its values checked for their kind; a plain text as `Cmd` or `Entrypoint` is one word.
 *
 * @param what the config's name, for the error
 * @throws InvalidParameter: a value of the wrong kind
 */
export function parseRunConfig(what: string, value: unknown): RunConfig {
  const bad = (why: string) => new InvalidParameter(`${what}${why}`);
  if (!isObject(value)) throw bad(" is not an object");
  const config: Record<string, unknown> = { ...value };
  for (const key of ["Cmd", "Entrypoint"]) if (typeof config[key] === "string") config[key] = [config[key]];
  const wrong = (keys: readonly string[], fits: (field: unknown) => boolean) =>
    keys.find((key) => config[key] != null && !fits(config[key]));
  const list = wrong(lists, (field) => Array.isArray(field) && field.every((item) => typeof item === "string"));
  if (list) throw bad(`.${list} is not a list of texts`);
  const set = wrong(sets, isObject) ?? wrong(["Labels"], (labels) => Object.values(labels as object).every(isText));
  if (set) throw bad(`.${set} is not a set of names${set === "Labels" ? " and texts" : ""}`);
  const text = wrong(texts, isText);
  if (text) throw bad(`.${text} is not text`);
  if (config.Healthcheck != null && !isObject(config.Healthcheck)) throw bad(".Healthcheck is not an object");
  return config as RunConfig;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
