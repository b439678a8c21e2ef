import type { HostConfig } from "../../spec/index.js";
import { alwaysWritable, defaultMounts, shmMount } from "./default-mounts.js";
import type { HostFacts } from "./host-facts.js";
import { initPath, startsInit } from "./init.js";
import type { OCILinux, OCIMount } from "./oci.js";
import { propagationOf } from "./propagation.js";
import type { ContainerSetup, SetupMount } from "./setup.js";
import { tmpfsMountOptions } from "./tmpfs.js";

/** The mounts of a container in the order of mounting, and what they need its root to be. */
export interface Mounts {
  readonly mounts: OCIMount[];
  readonly rootfsPropagation: OCILinux["rootfsPropagation"];
}

/** @throws RuntimeFailure: a bad option of a tmpfs, or a propagation that the source has not */
export async function mountsOf(setup: ContainerSetup, facts: HostFacts): Promise<Mounts> {
  const { host } = setup;
  const own = ownMounts(setup);
  const places = new Set(own.map(({ destination }) => destination));
  const usual = [...defaultMounts, ...ownShm(setup), ...initMount(setup)].filter(
    ({ destination: at }) => !places.has(at) && !(places.has("/dev") && at.startsWith("/dev/")),
  );
  const propagations = await Promise.all(own.map(propagationOf));
  const roots = propagations.map(({ root }) => root);
  const asked = own.map((mount, i) => ociMount(mount, propagations[i]?.option, facts));
  return {
    mounts: [...usual.map((mount) => adapted(mount, host)), ...asked],
    rootfsPropagation: roots.find((root) => root === "shared") ?? roots.find((root) => root),
  };
}

/** What was asked for, and the three files of a container; what is deeper comes later. */
function ownMounts(setup: ContainerSetup): SetupMount[] {
  const { mounts, host } = setup;
  const shm = shmDirectory(setup);
  const tmpfs = Object.entries(host.Tmpfs ?? {}).map(([destination, text]): SetupMount => {
    return { type: "tmpfs", source: "", destination, rw: true, options: text.split(",").filter(Boolean) };
  });
  const asked = [...mounts, ...tmpfs];
  const has = (at: string) => asked.some(({ destination }) => destination === at);
  const files = fileMounts(setup).filter(({ destination }) => !has(destination));
  const shared = shm !== undefined && !has("/dev/shm") ? [bind(shm, "/dev/shm", true)] : [];
  const depth = ({ destination }: SetupMount) => destination.split("/").length;
  return [...asked, ...files, ...shared].sort((a, b) => depth(a) - depth(b));
}

function fileMounts({ files, host }: ContainerSetup): SetupMount[] {
  const sources = { "/etc/resolv.conf": files.resolvConf, "/etc/hostname": files.hostname, "/etc/hosts": files.hosts };
  return Object.entries(sources).flatMap(([destination, source]) =>
    source === undefined ? [] : [bind(source, destination, !host.ReadonlyRootfs)],
  );
}

function bind(source: string, destination: string, rw: boolean): SetupMount {
  return { type: "bind", source, destination, rw, propagation: "rprivate" };
}

function shmDirectory({ host, shm }: ContainerSetup): string | undefined {
  return shm ?? (host.IpcMode === "host" ? "/dev/shm" : undefined);
}

function ownShm(setup: ContainerSetup): OCIMount[] {
  const { host } = setup;
  if (host.IpcMode === "none" || shmDirectory(setup) !== undefined) return [];
  return [shmMount(String(host.ShmSize || 64 * 1024 * 1024))];
}

function initMount(setup: ContainerSetup): OCIMount[] {
  if (!startsInit(setup)) return [];
  return [{ destination: initPath, type: "bind", source: setup.init ?? "", options: ["bind", "ro"] }];
}

/** A mount every container has, as a read-only or a privileged one has it. */
function adapted(mount: OCIMount, { ReadonlyRootfs, Privileged }: HostConfig): OCIMount {
  const { destination, type, options } = mount;
  const readOnly = ReadonlyRootfs && !alwaysWritable.includes(destination) && !options.includes("ro");
  if (readOnly) return { ...mount, options: [...options, "ro"] };
  const opened = Privileged && (destination === "/sys" || type === "cgroup");
  return opened ? { ...mount, options: options.filter((option) => option !== "ro") } : mount;
}

function ociMount(mount: SetupMount, propagation: string | undefined, { kernel: [major, minor] }: HostFacts): OCIMount {
  const { type, source, destination, rw, options = [], nonRecursive, readOnlyRecursively } = mount;
  if (type === "tmpfs") {
    return { destination, type, source: "tmpfs", options: tmpfsMountOptions([...(rw ? [] : ["ro"]), ...options]) };
  }
  // mount_setattr(2) came with Linux 5.12.
  const deeply = readOnlyRecursively && (major > 5 || (major === 5 && minor >= 12));
  const access = rw ? [] : [deeply ? "rro" : "ro"];
  const bound = [nonRecursive ? "bind" : "rbind", ...access, ...(propagation ? [propagation] : [])];
  return { destination, type, source, options: bound };
}
