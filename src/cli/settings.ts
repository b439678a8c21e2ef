import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { ConfigFile } from "../daemon/index.js";
import type { EngineOptions } from "../engine/index.js";
import { messageOf } from "../spec/index.js";
import { defaultRoot, socketPathOf } from "./places.js";

type RegistrySettings = Pick<EngineOptions, "registries" | "maxConcurrentDownloads" | "maxConcurrentUploads">;

/** Options that stand before the command. */
export interface Globals {
  readonly root?: string;
  readonly storageDriver?: string;
  readonly storageOpt?: readonly string[];
  readonly configFile?: string;
  /** Paths of sockets. */
  readonly host?: readonly string[];
  readonly readOnly?: boolean;
  readonly debug?: boolean;
  readonly insecureRegistry?: readonly string[];
  readonly registryMirror?: readonly string[];
  readonly maxConcurrentDownloads?: number;
  readonly maxConcurrentUploads?: number;
  readonly maxDownloadAttempts?: number;
}

/** Which data root, and how: the command line over the config file over what is usual. */
export interface Settings {
  readonly root: string;
  readonly driver?: string;
  readonly storageOptions: readonly string[];
  readonly registrySettings: RegistrySettings;
  /** Paths of the sockets named; empty when none was. */
  readonly sockets: readonly string[];
  /** Opened without its lock, and never changed. */
  readonly readOnly: boolean;
  readonly debug: boolean;
}

export function addGlobals(command: Command): Command {
  return command
    .option("--root <dir>", `data root (default ${defaultRoot()})`)
    .option("--storage-driver <name>", "storage driver: overlay2 or vfs (default: the one the root has, else overlay2)")
    .option("--storage-opt <key=value>", "storage option, may be repeated", collect)
    .option("--config-file <file>", "daemon.json to read")
    .option(
      "-H, --host <unix://socket>",
      "daemon to talk to; for serve, socket to listen on, may be repeated",
      collectHost,
    )
    .option("--read-only", "change nothing, and take no lock: for a root that another engine is serving")
    .option("-D, --debug", "say more: stacks of errors, requests served")
    .option("--insecure-registry <host>", "registry to trust without a certificate, may be repeated", collect)
    .option("--registry-mirror <url>", "to ask before docker.io, may be repeated", collect)
    .option("--max-concurrent-downloads <n>", "layers to fetch at once (default 3)", number)
    .option("--max-concurrent-uploads <n>", "layers to send at once (default 5)", number)
    .option("--max-download-attempts <n>", "how often to try until a request succeeds (default 5)", number);
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

function number(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is no whole number.");
}

function collectHost(value: string, earlier: readonly string[] = []): string[] {
  try {
    return [...earlier, socketPathOf(value)];
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

export async function settingsOf(globals: Globals): Promise<Settings> {
  const file = globals.configFile === undefined ? {} : await configFile(globals.configFile);
  const driver = globals.storageDriver ?? file["storage-driver"];
  return {
    root: resolve(globals.root ?? file["data-root"] ?? defaultRoot()),
    ...(driver !== undefined && { driver }),
    storageOptions: globals.storageOpt ?? file["storage-opts"] ?? [],
    registrySettings: registriesOf(globals, file),
    sockets: globals.host ?? (file.hosts ?? []).map(socketPathOf),
    readOnly: globals.readOnly ?? false,
    debug: globals.debug ?? file.debug ?? false,
  };
}

function registriesOf(globals: Globals, file: ConfigFile): RegistrySettings {
  const attempts = globals.maxDownloadAttempts ?? file["max-download-attempts"];
  const downloads = globals.maxConcurrentDownloads ?? file["max-concurrent-downloads"];
  const uploads = globals.maxConcurrentUploads ?? file["max-concurrent-uploads"];
  return {
    registries: {
      insecure: globals.insecureRegistry ?? file["insecure-registries"] ?? [],
      mirrors: globals.registryMirror ?? file["registry-mirrors"] ?? [],
      ...(attempts !== undefined && { attempts }),
    },
    ...(downloads !== undefined && { maxConcurrentDownloads: downloads }),
    ...(uploads !== undefined && { maxConcurrentUploads: uploads }),
  };
}

async function configFile(path: string): Promise<ConfigFile> {
  const { readConfigFile } = await import("../daemon/index.js");
  return await readConfigFile(path);
}

/** How to open the data root. Where `overlay2` cannot be had, an ordinary user gets `vfs`. */
export function engineOptions({ root, driver, storageOptions, registrySettings, readOnly }: Settings): EngineOptions {
  const named = driver === undefined ? {} : { driver };
  return { root, ...named, fallbackDriver: "vfs", storageOptions, ...registrySettings, readOnly };
}
