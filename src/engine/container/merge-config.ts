import type { Healthcheck, RunConfig } from "../../spec/index.js";

/**
 * What a container runs with: its own config, filled up from its image's. Lists of words are taken whole, a command
 * of the image only where the container names neither entrypoint nor command; environment, labels, ports and volumes
 * are joined, the container's own before the image's.
 *
 * @param config as `fullRunConfig` gives it
 */
export function mergeConfig(config: RunConfig, image: RunConfig): RunConfig {
  const own = { entrypoint: filled(config.Entrypoint), command: filled(config.Cmd) };
  return {
    ...config,
    User: config.User || image.User || "",
    ...fromImage("ExposedPorts", joined(config.ExposedPorts, image.ExposedPorts)),
    Env: environment(config.Env, image.Env),
    Cmd: own.entrypoint || own.command ? (config.Cmd ?? null) : (image.Cmd ?? null),
    ...fromImage("Healthcheck", healthcheck(config.Healthcheck, image.Healthcheck)),
    Volumes: joined(config.Volumes, image.Volumes) ?? null,
    WorkingDir: config.WorkingDir || image.WorkingDir || "",
    Entrypoint: own.entrypoint || config.Entrypoint ? (config.Entrypoint ?? null) : (image.Entrypoint ?? null),
    Labels: joined(config.Labels, image.Labels) ?? {},
    ...fromImage("StopSignal", config.StopSignal || image.StopSignal),
  };
}

/** A key that is left out when it is empty. */
function fromImage<K extends keyof RunConfig>(key: K, value: RunConfig[K] | undefined): RunConfig {
  return value ? { [key]: value } : {};
}

function filled(list: readonly unknown[] | null | undefined): boolean {
  return list != null && list.length > 0;
}

type Names = Readonly<Record<string, unknown>>;

/** The container's value wins; keys in byte order, as Go writes maps. An empty map of the container's is as none. */
function joined<T extends Names>(own: T | null | undefined, image: T | null | undefined): T | undefined {
  if (!own || Object.keys(own).length === 0) return image ?? undefined;
  const entries = Object.entries({ ...image, ...own });
  return Object.fromEntries(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) as T;
}

function environment(own: string[] | null | undefined, image: string[] | null | undefined): string[] | null {
  if (!own?.length) return image ?? null;
  const names = new Set(own.map(variableName));
  return [...own, ...(image ?? []).filter((entry) => !names.has(variableName(entry)))];
}

function variableName(entry: string): string {
  return entry.split("=", 1)[0] ?? "";
}

function healthcheck(own: Healthcheck | null | undefined, image: Healthcheck | null | undefined) {
  if (!own || !image) return own ?? image ?? undefined;
  const test = own.Test?.length ? own.Test : image.Test;
  const times = ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"] as const;
  const chosen = times.map((key) => [key, own[key] || image[key]] as const).filter(([, value]) => value);
  return { ...(test && { Test: test }), ...Object.fromEntries(chosen) };
}
