import { posix } from "node:path";
import { isCapability } from "../../runtime/index.js";
import { InvalidParameter, type RunConfig } from "../../spec/index.js";
import type { HostConfig } from "../api-container.js";
import { logComplaint } from "../run/log-target.js";
import { targetComplaint } from "./mount-request.js";
import { isSignal } from "./signal.js";

/** What a container may have. */
export interface Surroundings {
  /** Those it asks for. */
  readonly networks: readonly string[];
  /** Those there are. */
  readonly runtimes: readonly string[];
}

/**
 * What dockerd refuses at create, in its words.
 *
 * @throws InvalidParameter
 */
export function checkConfig(config: RunConfig, host: HostConfig, { networks, runtimes }: Surroundings): void {
  const why =
    runComplaint(config) ?? healthComplaint(config) ?? hostComplaint(host, runtimes) ?? resourceComplaint(host);
  if (why !== undefined) throw new InvalidParameter(why);
  if (networks.length > 1) {
    throw new InvalidParameter(
      `Container cannot be connected to network endpoints: ${[...networks].sort().join(", ")}`,
    );
  }
}

function runComplaint({ StopSignal, Env, WorkingDir, Volumes }: RunConfig): string | undefined {
  if (StopSignal && !isSignal(StopSignal)) return `Invalid signal: ${StopSignal}`;
  const variable = Env?.find((entry) => entry === "" || entry.startsWith("="));
  if (variable !== undefined) return `invalid environment variable: ${variable}`;
  if (WorkingDir && !posix.isAbsolute(WorkingDir)) {
    return `the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`;
  }
  return Object.keys(Volumes ?? {})
    .map(targetComplaint)
    .find((complaint) => complaint !== undefined);
}

function healthComplaint({ Healthcheck: check }: RunConfig): string | undefined {
  if (!check) return undefined;
  const times = ["Interval", "Timeout", "StartPeriod"] as const;
  const short = times.find((key) => Number(check[key] ?? 0) !== 0 && Number(check[key]) < 1e6);
  if (short) return `${short} in Healthcheck cannot be less than 1ms`;
  return Number(check.Retries ?? 0) < 0 ? "Retries in Healthcheck cannot be negative" : undefined;
}

const restartPolicies = ["", "no", "always", "unless-stopped", "on-failure"];
const logDrivers = `awslogs fluentd gcplogs gelf journald json-file local logentries none splunk syslog`.split(" ");

function hostComplaint(host: HostConfig, runtimes: readonly string[]): string | undefined {
  const { LogConfig: log, Runtime: runtime = "", NetworkMode: network = "" } = host;
  const extra = host.ExtraHosts?.find((entry) => !/^[^:]+:.+$/.test(entry));
  if (extra !== undefined) return `bad format for add-host: ${JSON.stringify(extra)}`;
  if (network === "container" || network === "container:") {
    return "Invalid network mode: invalid container format container:<name|id>";
  }
  if (log?.Type && !logDrivers.includes(log.Type)) {
    return `error looking up logging plugin ${log.Type}: plugin "${log.Type}" not found`;
  }
  const option = log && logComplaint(log);
  if (option) return option;
  if (runtime !== "" && !runtimes.includes(runtime)) return `Unknown runtime specified ${runtime}`;
  const tmpfs = Object.keys(host.Tmpfs ?? {})
    .map(targetComplaint)
    .find((complaint) => complaint !== undefined);
  return tmpfs ?? restartComplaint(host) ?? portComplaint(host) ?? capabilityComplaint(host);
}

function restartComplaint({ RestartPolicy, AutoRemove }: HostConfig): string | undefined {
  const { Name: name = "", MaximumRetryCount: retries = 0 } = RestartPolicy ?? {};
  if (AutoRemove && name !== "" && name !== "no") return "can't create 'AutoRemove' container with restart policy";
  if (!restartPolicies.includes(name)) return `invalid restart policy '${name}'`;
  if (retries < 0) return "maximum retry count cannot be negative";
  if (retries !== 0 && name !== "on-failure" && name !== "") {
    return `maximum retry count cannot be used with restart policy '${name}'`;
  }
  return undefined;
}

function portComplaint({ PortBindings }: HostConfig): string | undefined {
  for (const [port, bindings] of Object.entries(PortBindings ?? {})) {
    if (!isPortRange(port.split("/")[0] ?? "")) return `invalid port specification: ${JSON.stringify(port)}`;
    const bad = bindings?.find(({ HostPort }) => HostPort && !isPortRange(HostPort));
    if (bad) return `invalid port specification: ${JSON.stringify(bad.HostPort)}`;
  }
  return undefined;
}

function isPortRange(text: string): boolean {
  const ports = text.split("-");
  return ports.length <= 2 && ports.every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65535);
}

function capabilityComplaint({ CapAdd, CapDrop }: HostConfig): string | undefined {
  const unknown = (key: string, list: string[] | null | undefined) => {
    const bad = list?.find((name) => !isCapability(name));
    return bad === undefined ? undefined : `invalid ${key}: unknown capability: "${fullName(bad)}"`;
  };
  return unknown("CapAdd", CapAdd) ?? unknown("CapDrop", CapDrop);
}

function fullName(capability: string): string {
  return `CAP_${capability.toUpperCase().replace(/^CAP_/, "")}`;
}

const leastMemory = 6 * 1024 * 1024;

function resourceComplaint(host: HostConfig): string | undefined {
  const number = (key: string) => Number(host[key] ?? 0);
  const memory = number("Memory");
  const swap = number("MemorySwap");
  if (number("ShmSize") < 0) return "SHM size can not be less than 0";
  if (memory !== 0 && memory < leastMemory) return "Minimum memory limit allowed is 6MB";
  if (memory > 0 && swap > 0 && swap < memory) {
    return "Minimum memoryswap limit should be larger than memory limit, see usage";
  }
  if (memory === 0 && swap > 0) return "You should always set the Memory limit when using Memoryswap limit, see usage";
  const swappiness = host.MemorySwappiness ?? -1;
  if (typeof swappiness === "number" && (swappiness < -1 || swappiness > 100)) {
    return `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`;
  }
  const nanoCpus = number("NanoCpus");
  if (nanoCpus > 0 && number("CpuPeriod") > 0) {
    return "Conflicting options: Nano CPUs and CPU Period cannot both be set";
  }
  if (nanoCpus > 0 && number("CpuQuota") > 0) return "Conflicting options: Nano CPUs and CPU Quota cannot both be set";
  return nanoCpus < 0
    ? "range of CPUs is from 0.01 to the number of CPUs, as there are only these available"
    : undefined;
}
