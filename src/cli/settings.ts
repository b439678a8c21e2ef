import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type Config, type ConfigFile, logLevels, readConfig } from "../config/index.js";
import type { Changeable, EngineOptions, NetworkSettings } from "../engine/index.js";
import { messageOf, parseSize, parseSpan } from "../spec/index.js";
import { containerDefaults } from "./container-defaults.js";
import { defaultConfigFile, defaultRoot, socketOf } from "./places.js";

/** Options that stand before the command. */
export interface Globals {
  readonly root?: string;
  readonly storageDriver?: string;
  readonly storageOpt?: readonly string[];
  readonly configFile?: string;
  /** As they were written. */
  readonly host?: readonly string[];
  readonly readOnly?: boolean;
  readonly debug?: boolean;
  readonly logLevel?: (typeof logLevels)[number];
  readonly insecureRegistry?: readonly string[];
  readonly registryMirror?: readonly string[];
  readonly maxConcurrentDownloads?: number;
  readonly maxConcurrentUploads?: number;
  readonly maxDownloadAttempts?: number;
  readonly bridge?: string;
  readonly execRoot?: string;
  readonly gcKeepStorage?: number;
  readonly gcDiskPercent?: number;
  readonly gcMinAge?: number;
  readonly gcInterval?: number;
}

/** Which data root, and how: the command line over the config file over what is usual. */
export interface Settings {
  readonly root: string;
  readonly driver?: string;
  readonly storageOptions: readonly string[];
  /** What an engine can change while it is open. */
  readonly changeable: Changeable;
  readonly network: NetworkSettings;
  /** Below which the run directory is; undefined: the usual one. */
  readonly execRoot?: string;
  /** Of containers that say nothing themselves. */
  readonly containers: Pick<EngineOptions, "containers" | "initPath">;
  /** Paths of the sockets named on the command line, or `fd://`; empty when none was. */
  readonly sockets: readonly string[];
  /** Opened without its lock, and never changed. */
  readonly readOnly: boolean;
  readonly debug: boolean;
  /** What was read of them from a file; undefined when there is none. */
  readonly config: Config | undefined;
}

export function addGlobals(command: Command): Command {
  return command
    .option("--root <dir>", `data root (default ${defaultRoot()})`)
    .option(
      "--storage-driver <name>",
      "storage driver: overlay2, overlay or vfs (default: the one the root has, else overlay2)",
    )
    .option("--storage-opt <key=value>", "storage option, may be repeated", collect)
    .option("--config-file <file>", `daemon.json to read (default ${defaultConfigFile()})`)
    .option(
      "-H, --host <unix://socket>",
      "daemon to talk to; for serve, socket to listen on, may be repeated",
      collectHost,
    )
    .option("--read-only", "change nothing, and take no lock: for a root that another engine is serving")
    .option("-D, --debug", "say more: stacks of errors, requests served")
    .option("--log-level <level>", "of serve: debug, info, warn, error or fatal (default info)", level)
    .option("--insecure-registry <host>", "registry to trust without a certificate, may be repeated", collect)
    .option("--registry-mirror <url>", "to ask before docker.io, may be repeated", collect)
    .option("--max-concurrent-downloads <n>", "layers to fetch at once (default 3)", number)
    .option("--max-concurrent-uploads <n>", "layers to send at once (default 5)", number)
    .option("--max-download-attempts <n>", "how often to try until a request succeeds (default 5)", number)
    .option("--bridge <name>", "interface that containers are connected to, or none (default layerkit0)")
    .option(
      "--exec-root <dir>",
      "directory for what does not outlive the machine's next start (default /run/layerkit)",
    );
}

/** Options of a daemon that no other command has. */
export function addCollecting(command: Command): Command {
  return command
    .option("--gc-keep-storage <size>", "remove unused images while the data root takes more than this", sizeOption)
    .option("--gc-disk-percent <n>", "remove unused images while the disk is fuller than this", number)
    .option("--gc-min-age <time>", "but none that was used so short a time ago (default 2m)", spanOption)
    .option("--gc-interval <time>", "how often to look besides after pulls and loads (default 10m)", spanOption);
}

function sizeOption(value: string): number {
  return valid(() => parseSize(value));
}

function spanOption(value: string): number {
  return valid(() => parseSpan(value));
}

function valid(parse: () => number): number {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

function number(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is no whole number.");
}

function level(value: string): (typeof logLevels)[number] {
  const found = logLevels.find((known) => known === value.toLowerCase());
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`It is none of ${logLevels.join(", ")}.`);
}

function collectHost(value: string, earlier: readonly string[] = []): string[] {
  try {
    socketOf(value);
    return [...earlier, value];
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** @throws NotFound: the config file that was named; InvalidParameter: what is wrong in one */
export async function settingsOf(globals: Globals): Promise<Settings> {
  const config = await configOf(globals.configFile);
  const file = config?.values ?? {};
  const driver = globals.storageDriver ?? file["storage-driver"];
  const execRoot = globals.execRoot ?? file["exec-root"];
  return {
    root: resolve(globals.root ?? file["data-root"] ?? file.graph ?? defaultRoot()),
    ...(driver && { driver }),
    storageOptions: globals.storageOpt ?? file["storage-opts"] ?? [],
    changeable: changeableOf(globals, file),
    network: networkOf(globals, file),
    ...(execRoot && { execRoot: resolve(execRoot) }),
    containers: containerDefaults(file),
    sockets: (globals.host ?? []).map(socketOf),
    readOnly: globals.readOnly ?? false,
    debug: globals.debug ?? file.debug ?? false,
    config,
  };
}

/** The usual file need not be there; one that was named has to. */
async function configOf(named: string | undefined): Promise<Config | undefined> {
  const path = named ?? defaultConfigFile();
  if (named === undefined && !existsSync(path)) return undefined;
  return await readConfig(path);
}

function changeableOf(globals: Globals, file: ConfigFile): Changeable {
  const attempts = globals.maxDownloadAttempts ?? file["max-download-attempts"];
  const downloads = globals.maxConcurrentDownloads ?? file["max-concurrent-downloads"];
  const uploads = globals.maxConcurrentUploads ?? file["max-concurrent-uploads"];
  const defaultRuntime = file["default-runtime"];
  return {
    registries: {
      insecure: globals.insecureRegistry ?? file["insecure-registries"] ?? [],
      mirrors: globals.registryMirror ?? file["registry-mirrors"] ?? [],
      ...(attempts !== undefined && { attempts }),
    },
    ...(downloads !== undefined && { maxConcurrentDownloads: downloads }),
    ...(uploads !== undefined && { maxConcurrentUploads: uploads }),
    labels: file.labels ?? [],
    runtimes: file.runtimes ?? {},
    ...(defaultRuntime !== undefined && { defaultRuntime }),
    gc: collectingOf(globals, file),
  };
}

function collectingOf(globals: Globals, file: ConfigFile): NonNullable<Changeable["gc"]> {
  const keepBytes = globals.gcKeepStorage ?? file["gc-keep-storage"];
  const diskPercent = globals.gcDiskPercent ?? file["gc-disk-percent"];
  const minAgeMs = globals.gcMinAge ?? file["gc-min-age"];
  const intervalMs = globals.gcInterval ?? file["gc-interval"];
  return {
    ...(keepBytes !== undefined && { keepBytes }),
    ...(diskPercent !== undefined && { diskPercent }),
    ...(minAgeMs !== undefined && { minAgeMs }),
    ...(intervalMs !== undefined && { intervalMs }),
  };
}

function networkOf({ bridge }: Globals, file: ConfigFile): NetworkSettings {
  const device = bridge ?? file.bridge;
  return {
    ...(device && { bridge: device }),
    ...(file.bip && { bip: file.bip }),
    ...(file.mtu && { mtu: file.mtu }),
    ...(file.ip && { ip: file.ip }),
    rules: file.iptables ?? true,
    masquerade: (file.iptables ?? true) && (file["ip-masq"] ?? true),
  };
}

/** How to open the data root. */
export function engineOptions({
  root,
  driver,
  storageOptions,
  changeable,
  network,
  execRoot,
  containers,
  readOnly,
}: Settings): EngineOptions {
  const named = { ...(driver !== undefined && { driver }), ...(execRoot !== undefined && { execRoot }) };
  return { root, ...named, storageOptions, ...changeable, network, ...containers, readOnly };
}
