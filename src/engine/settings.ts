import { InvalidParameter } from "../spec/index.js";
import { type CheckedGC, checkedGC, type GCSettings } from "./gc/gc-settings.js";
import { type CheckedSettings, checkedSettings, type RegistrySettings } from "./registry-settings.js";

/** An OCI runtime beside `runc`. */
export interface RuntimeSettings {
  /** A program on PATH, or its absolute path. */
  readonly path: string;
  readonly runtimeArgs?: readonly string[];
}

/** What of an engine's options can change while it is open. */
export interface Changeable extends RegistrySettings {
  /** `KEY=VALUE`, for `docker info`. */
  readonly labels?: readonly string[];
  readonly runtimes?: Readonly<Record<string, RuntimeSettings>>;
  /** Of containers that name none. `runc` unless given. */
  readonly defaultRuntime?: string;
  /** What a daemon removes without being asked; nothing unless given. */
  readonly gc?: GCSettings;
}

/** The same, checked, with what is usual for what was left out. */
export interface Settings
  extends CheckedSettings,
    Required<Pick<Changeable, "labels" | "runtimes" | "defaultRuntime">> {
  readonly gc?: CheckedGC | undefined;
}

/** Names for `runc` itself. */
export const ownRuntimes = ["runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux"];

/** @throws InvalidParameter: in dockerd's words */
export function checkedOptions(changeable: Changeable): Settings {
  const { labels = [], runtimes = {}, defaultRuntime = "runc", gc = {}, ...rest } = changeable;
  const why = labelComplaint(labels) ?? runtimeComplaint(Object.keys(runtimes), defaultRuntime || "runc");
  if (why !== undefined) throw new InvalidParameter(why);
  return {
    ...checkedSettings(rest),
    ...{ labels, runtimes, defaultRuntime: defaultRuntime || "runc", gc: checkedGC(gc) },
  };
}

function labelComplaint(labels: readonly string[]): string | undefined {
  const values = new Map<string, string>();
  for (const label of labels) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(label) ?? [];
    if (key === undefined || value === undefined) return `bad attribute format: ${label}`;
    const other = values.get(key) ?? value;
    if (other !== value) return `conflict labels for ${key}=${value} and ${key}=${other}`;
    values.set(key, value);
  }
  return undefined;
}

function runtimeComplaint(names: readonly string[], byDefault: string): string | undefined {
  const reserved = names.find((name) => ownRuntimes.includes(name));
  if (reserved !== undefined) return `runtime name '${reserved}' is reserved`;
  if (![...ownRuntimes, ...names].includes(byDefault)) return `specified default runtime '${byDefault}' does not exist`;
  return undefined;
}

/** Them as the `reload` event shows them. */
export function attributesOf({ registries, labels, runtimes, gc, ...numbers }: Settings): Record<string, string> {
  return {
    "insecure-registries": JSON.stringify(registries.insecure),
    "registry-mirrors": JSON.stringify(registries.mirrors),
    "max-concurrent-downloads": String(numbers.maxConcurrentDownloads),
    "max-concurrent-uploads": String(numbers.maxConcurrentUploads),
    "max-download-attempts": String(registries.attempts),
    labels: JSON.stringify(labels),
    runtimes: Object.entries(runtimes)
      .map(([name, runtime]) => `${name}:${JSON.stringify(runtime)}`)
      .join(" "),
    "default-runtime": numbers.defaultRuntime,
    ...(gc?.keepBytes !== undefined && { "gc-keep-storage": String(gc.keepBytes) }),
    ...(gc?.diskPercent !== undefined && { "gc-disk-percent": String(gc.diskPercent) }),
  };
}
