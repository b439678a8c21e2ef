import { posix } from "node:path";
import { type Integer, RawNumber, type Ulimit } from "../../spec/index.js";
import { apparmorProfile } from "./apparmor.js";
import { capabilitiesOf } from "./capabilities.js";
import { environmentOf } from "./environment.js";
import type { HostFacts } from "./host-facts.js";
import { initPath, startsInit } from "./init.js";
import type { OCICapabilities, OCIProcess, OCIUser } from "./oci.js";
import { readInside } from "./read-inside.js";
import { securityOf } from "./security-options.js";
import type { ContainerSetup, ExecSetup } from "./setup.js";
import { userOf } from "./users.js";

/**
 * A container's first process. The runtime makes its working directory where it is missing, owned by root.
 *
 * @throws RuntimeFailure: a user, group or capability that there is not
 */
export async function processOf(setup: ContainerSetup, facts: HostFacts): Promise<OCIProcess> {
  const { config, host, path, args } = setup;
  const tty = config.Tty ?? false;
  const user = findUser(setup, config.User ?? "");
  const profile = await apparmorProfile(host, facts.apparmor);
  return {
    ...terminal(tty, host.ConsoleSize),
    user,
    args: [...(startsInit(setup) ? [initPath, "--"] : []), path, ...args],
    env: environmentOf(config.Hostname ?? "", tty, config.Env ?? []),
    cwd: directory(config.WorkingDir),
    capabilities: capabilitySets(capabilitiesOf(host, facts.capabilities), user),
    ...limits(setup),
    ...((setup.noNewPrivileges ?? securityOf(host.SecurityOpt).NoNewPrivileges) && { noNewPrivileges: true }),
    ...(profile && { apparmorProfile: profile }),
    oomScoreAdj: host.OomScoreAdj ?? 0,
  };
}

/**
 * A further process, for `runc exec --process`: what the container's first one has, but for what was asked.
 *
 * @throws RuntimeFailure: a user that there is not
 */
export function execProcessOf(setup: ExecSetup, facts: HostFacts): OCIProcess {
  const { config, running, tty = false } = setup;
  const { terminal: _, consoleSize: __, ...inherited } = running;
  const every = { bounding: facts.capabilities, effective: facts.capabilities, permitted: facts.capabilities };
  return {
    ...terminal(tty, setup.consoleSize),
    ...inherited,
    ...(setup.user && { user: findUser(setup, setup.user) }),
    args: [...setup.command],
    env: environmentOf(config.Hostname ?? "", tty, config.Env ?? [], setup.env ?? []),
    cwd: setup.workingDir || directory(config.WorkingDir),
    ...(setup.privileged && { capabilities: every }),
  };
}

function terminal(tty: boolean, [height = 0, width = 0]: readonly number[] = []): Partial<OCIProcess> {
  if (!tty) return {};
  return { terminal: true, ...((height > 0 || width > 0) && { consoleSize: { height, width } }) };
}

function findUser({ rootfs, host }: Pick<ContainerSetup, "rootfs" | "host">, asked: string): OCIUser {
  const [passwd, group] = ["/etc/passwd", "/etc/group"].map((path) => readInside(rootfs, path));
  return userOf(asked, host.GroupAdd ?? [], { passwd, group });
}

/** As execve has it: an ordinary user gets none of what could be given. */
function capabilitySets(names: readonly string[], { uid }: OCIUser): OCICapabilities {
  if (names.length === 0) return {};
  return uid === 0 ? { bounding: names, effective: names, permitted: names } : { bounding: names };
}

function limits({ host, defaults }: ContainerSetup): Pick<OCIProcess, "rlimits"> {
  const own = host.Ulimits ?? [];
  const others = (defaults?.ulimits ?? []).filter(({ Name }) => !own.some((limit) => limit.Name === Name));
  const all = [...own, ...others].map(rlimit);
  return all.length > 0 ? { rlimits: all } : {};
}

function rlimit({ Name, Hard, Soft }: Ulimit) {
  return { type: `RLIMIT_${Name.toUpperCase()}`, hard: unsigned(Hard), soft: unsigned(Soft) };
}

/** Limits are unsigned numbers of 64 bits: -1, no limit, is the greatest. */
function unsigned(limit: Integer): Integer {
  return typeof limit === "number" && limit < 0 ? new RawNumber(BigInt.asUintN(64, BigInt(limit))) : limit;
}

function directory(path = ""): string {
  return path === "" ? "/" : posix.normalize(path).replace(/(?<=.)\/$/, "");
}
