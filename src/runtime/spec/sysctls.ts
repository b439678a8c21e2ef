import type { HostFacts } from "./host-facts.js";
import { hasOwnNetwork } from "./namespaces.js";
import type { ContainerSetup } from "./setup.js";

/** In a network of its own a container may ping and open any port without capabilities. */
const ofOwnNetwork = { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" };

/** Kernel settings of a container, in the order of their names. What it asks for comes first. */
export function sysctlsOf(setup: ContainerSetup, facts: HostFacts): Record<string, string> {
  const { config, host } = setup;
  const usual = Object.entries(hasOwnNetwork(setup) ? ofOwnNetwork : {}).filter(([name]) => facts.hasSysctl(name));
  const all = {
    // The spec has no key for the domain name; this setting is the same.
    ...(config.Domainname && { "kernel.domainname": config.Domainname }),
    ...Object.fromEntries(usual),
    ...host.Sysctls,
  };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}
