import type { RunConfig } from "../spec/index.js";
import { flag, integer, type Kind, list, map, nothing, pointer, struct, text, words } from "./go-struct.js";

const healthcheck = struct(
  {
    Test: list(text),
    Interval: integer,
    Timeout: integer,
    StartPeriod: integer,
    StartInterval: integer,
    Retries: integer,
  },
  ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"],
);

/** `Config` of a container or image: Docker's keys in Docker's order, absent ones as Docker writes them. */
export const runConfig = struct(
  {
    Hostname: text,
    Domainname: text,
    User: text,
    AttachStdin: flag,
    AttachStdout: flag,
    AttachStderr: flag,
    ExposedPorts: map(nothing),
    Tty: flag,
    OpenStdin: flag,
    StdinOnce: flag,
    Env: list(text),
    Cmd: words,
    Healthcheck: pointer(healthcheck),
    ArgsEscaped: flag,
    Image: text,
    Volumes: map(nothing),
    WorkingDir: text,
    Entrypoint: words,
    NetworkDisabled: flag,
    MacAddress: text,
    OnBuild: list(text),
    Labels: map(text),
    StopSignal: text,
    StopTimeout: pointer(integer),
    Shell: list(text),
  },
  ["ExposedPorts", "ArgsEscaped", "NetworkDisabled", "MacAddress", "StopSignal", "StopTimeout", "Shell", "Healthcheck"],
) as Kind<unknown> as Kind<RunConfig>;

/** The config with every key Docker writes, in Docker's order. @throws InvalidParameter: a value of the wrong kind */
export function fullRunConfig(config: unknown): RunConfig {
  return runConfig.read(config, "Config");
}
