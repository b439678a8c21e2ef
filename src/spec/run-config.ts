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

type Fits = (value: unknown) => boolean;

const isText: Fits = (value) => typeof value === "string";
const isFlag: Fits = (value) => typeof value === "boolean";
const isInteger: Fits = (value) => Number.isInteger(value);
const isTexts: Fits = (value) => Array.isArray(value) && value.every(isText);
const isSet: Fits = (value) => isObject(value) && Object.values(value).every((each) => each === null || isObject(each));
const isMap: Fits = (value) => isObject(value) && Object.values(value).every(isText);

const kinds: readonly (readonly [kind: string, fits: Fits, keys: readonly (keyof RunConfig)[]])[] = [
  ["text", isText, ["Hostname", "Domainname", "User", "Image", "WorkingDir", "MacAddress", "StopSignal"]],
  ["a list of texts", isTexts, ["Env", "Cmd", "Entrypoint", "OnBuild", "Shell"]],
  ["a set of names", isSet, ["ExposedPorts", "Volumes"]],
  ["a set of names and texts", isMap, ["Labels"]],
  ["true or false", isFlag, ["AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce"]],
  ["true or false", isFlag, ["ArgsEscaped", "NetworkDisabled"]],
  ["an integer", isInteger, ["StopTimeout"]],
  ["a health check", isHealthcheck, ["Healthcheck"]],
];

/**
 * A run config out of JSON, its values checked for their kind; a plain text as `Cmd` or `Entrypoint` is one word.
 *
 * @param what the config's name, for the error
 * @throws InvalidParameter: a value of the wrong kind
 */
export function parseRunConfig(what: string, value: unknown): RunConfig {
  if (!isObject(value)) throw new InvalidParameter(`${what} is not an object`);
  const config: Record<string, unknown> = { ...value };
  for (const key of ["Cmd", "Entrypoint"]) if (isText(config[key])) config[key] = [config[key]];
  for (const [kind, fits, keys] of kinds) {
    const wrong = keys.find((key) => config[key] != null && !fits(config[key]));
    if (wrong) throw new InvalidParameter(`${what}.${wrong} is not ${kind}`);
  }
  return config as RunConfig;
}

function isHealthcheck(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries } = value;
  const numbers = [Interval, Timeout, StartPeriod, StartInterval, Retries];
  return (Test == null || isTexts(Test)) && numbers.every((number) => number == null || isInteger(number));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
