import { RuntimeFailure } from "../failure.js";
import type { HostFacts } from "./host-facts.js";
import type { OCINamespace } from "./oci.js";
import type { ContainerSetup } from "./setup.js";

type Kind = OCINamespace["type"];

/** The namespaces of a container: new ones, joined ones; those of the host are left out. */
export function namespacesOf({ config, host, join }: ContainerSetup, { cgroup2 }: HostFacts): OCINamespace[] {
  const network = config.NetworkDisabled ? "" : (host.NetworkMode ?? "");
  const cgroup = host.CgroupnsMode || (cgroup2 && !host.Privileged ? "private" : "host");
  return [
    { type: "mount" },
    ...namespace("network", network, join.network),
    ...namespace("uts", host.UTSMode, undefined),
    ...namespace("pid", host.PidMode, join.pid),
    ...namespace("ipc", host.IpcMode, join.ipc),
    ...namespace("cgroup", cgroup, undefined),
  ];
}

/** @param path joined where it is given, whatever the mode */
function namespace(type: Kind, mode = "", path: string | undefined): OCINamespace[] {
  if (path !== undefined) return [{ type, path }];
  if (mode === "host") return [];
  if (mode.startsWith("container:")) throw new RuntimeFailure(`no ${type} namespace of ${mode} to join`);
  return [{ type }];
}

/** Whether the container's network is neither the host's nor another container's. */
export function hasOwnNetwork({ config, host }: Pick<ContainerSetup, "config" | "host">): boolean {
  return config.NetworkDisabled === true || !/^(host$|container:)/.test(host.NetworkMode ?? "");
}
