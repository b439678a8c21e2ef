import type { Healthcheck, RunConfig } from "./run-config.js";

/**
 * A run config as Docker writes it in image configs and container files, ready for `goJSON`: all fields in the order
 * of its struct, zero values where Docker has them, the optional ones only when set, sets of names sorted.
 */
export function goRunConfig(config: RunConfig): Record<string, unknown> {
  return {
    Hostname: config.Hostname ?? "",
    Domainname: config.Domainname ?? "",
    User: config.User ?? "",
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    ExposedPorts: goMap(config.ExposedPorts)?.size ? goMap(config.ExposedPorts) : undefined,
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Healthcheck: config.Healthcheck ? goHealthcheck(config.Healthcheck) : undefined,
    ArgsEscaped: config.ArgsEscaped || undefined,
    Image: config.Image ?? "",
    Volumes: goMap(config.Volumes) ?? null,
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    NetworkDisabled: config.NetworkDisabled || undefined,
    MacAddress: config.MacAddress || undefined,
    OnBuild: config.OnBuild ?? null,
    Labels: goMap(config.Labels) ?? null,
    StopSignal: config.StopSignal || undefined,
    StopTimeout: config.StopTimeout ?? undefined,
    Shell: config.Shell?.length ? config.Shell : undefined,
  };
}

function goHealthcheck(check: Healthcheck): Record<string, unknown> {
  return {
    Test: check.Test?.length ? check.Test : undefined,
    Interval: check.Interval || undefined,
    Timeout: check.Timeout || undefined,
    StartPeriod: check.StartPeriod || undefined,
    StartInterval: check.StartInterval || undefined,
    Retries: check.Retries || undefined,
  };
}

function goMap<T>(record: Record<string, T> | null | undefined): Map<string, T> | undefined {
  return record ? new Map(Object.entries(record)) : undefined;
}
