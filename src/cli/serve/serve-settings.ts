import { assertNoConflicts, type Config, judged } from "../../config/index.js";
import type { LogLevel } from "../../daemon/index.js";
import { checkOptions, type EngineOptions } from "../../engine/index.js";
import { containerDefaults } from "../container-defaults.js";
import { activated, defaultSocket, rootSocket, socketOf } from "../places.js";
import type { Globals, Settings } from "../settings.js";

/** The settings of a daemon. */
export interface ServeSettings extends Settings {
  /** Paths of sockets to listen on. */
  readonly listen: readonly string[];
  /** Whether it also listens on those that a service manager hands over. */
  readonly activated: boolean;
  readonly level: LogLevel;
  /** What of the config file is passed over, a line each. */
  readonly notes: readonly string[];
}

/**
 * @throws InvalidParameter: set on the command line and in the config file, or a value there that cannot be, in
 * dockerd's words and with its place
 */
export function serveSettings(settings: Settings, globals: Globals): ServeSettings {
  const { config, root, sockets } = settings;
  if (config) assertNoConflicts(config, flagsOf(globals));
  if (config) checkValues(config);
  const here = sockets.length > 0 ? sockets : hostsOf(config);
  const [first = defaultSocket(), ...others] = here;
  const own = rootSocket(root) ?? [];
  const listen = new Set([first, ...others].filter((socket) => socket !== activated).concat(own));
  return {
    ...settings,
    listen: [...listen],
    activated: here.includes(activated),
    level: levelOf(globals, config),
    notes: config ? notesOn(config) : [],
  };
}

function hostsOf(config: Config | undefined): string[] {
  const here = config?.values.hosts?.filter((host) => !isRemote(host));
  return config && here ? judged(config, "hosts", () => here.map(socketOf)) : [];
}

/** Has the engine judge what the file says, one key after the other. */
function checkValues(config: Config): void {
  const { "storage-driver": driver, labels, runtimes, "default-runtime": defaultRuntime, ...values } = config.values;
  const named = driver && { driver };
  const options: Readonly<Record<string, Partial<EngineOptions>>> = {
    "storage-driver": { ...named },
    "storage-opts": { ...named, storageOptions: values["storage-opts"] ?? [] },
    labels: { labels: labels ?? [] },
    "insecure-registries": { registries: { insecure: values["insecure-registries"] ?? [] } },
    "registry-mirrors": { registries: { mirrors: values["registry-mirrors"] ?? [] } },
    runtimes: { runtimes: runtimes ?? {} },
    bip: { network: { ...(values.bip && { bip: values.bip }) } },
    "gc-disk-percent": { gc: { ...(values["gc-disk-percent"] && { diskPercent: values["gc-disk-percent"] }) } },
    "gc-interval": { gc: { ...(values["gc-interval"] !== undefined && { intervalMs: values["gc-interval"] }) } },
    ip: { network: { ...(values.ip && { ip: values.ip }) } },
    "seccomp-profile": containerDefaults(config.values),
    "default-runtime": { runtimes: runtimes ?? {}, ...(defaultRuntime && { defaultRuntime }) },
  };
  const set = Object.entries(options).filter(([key]) => key in config.values);
  for (const [key, option] of set) judged(config, key, () => checkOptions(option));
}

/** By their keys in the file, in the order in which dockerd names them. */
function flagsOf(globals: Globals): Record<string, unknown> {
  return {
    "data-root": globals.root,
    bridge: globals.bridge,
    "exec-root": globals.execRoot,
    "gc-keep-storage": globals.gcKeepStorage,
    "gc-disk-percent": globals.gcDiskPercent,
    "gc-min-age": globals.gcMinAge,
    "gc-interval": globals.gcInterval,
    graph: globals.root,
    debug: globals.debug,
    hosts: globals.host,
    "insecure-registries": globals.insecureRegistry,
    "log-level": globals.logLevel,
    "max-concurrent-downloads": globals.maxConcurrentDownloads,
    "max-concurrent-uploads": globals.maxConcurrentUploads,
    "max-download-attempts": globals.maxDownloadAttempts,
    "registry-mirrors": globals.registryMirror,
    "storage-driver": globals.storageDriver,
    "storage-opts": globals.storageOpt,
  };
}

function levelOf({ debug, logLevel }: Globals, config: Config | undefined): LogLevel {
  if (debug ?? config?.values.debug) return "debug";
  const level = logLevel ?? config?.values["log-level"] ?? "info";
  return level === "warn" ? "warning" : level;
}

function notesOn({ path, values, idle }: Config): string[] {
  const remote = (values.hosts ?? []).filter(isRemote);
  return [
    ...(values.graph === undefined ? [] : [`config file ${path}: graph is deprecated, and now called data-root`]),
    ...(idle.length > 0 ? [`config file ${path}: no effect here have ${idle.join(", ")}`] : []),
    ...(remote.length > 0 ? [`config file ${path}: only unix sockets are listened on, not ${remote.join(", ")}`] : []),
  ];
}

function isRemote(host: string): boolean {
  return /^(?:tcp|npipe):\/\//.test(host);
}
