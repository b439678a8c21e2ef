import type { HostConfig } from "../../spec/index.js";
import type { HostFacts } from "./host-facts.js";
import type { OCIProcess } from "./oci.js";
import { securityOf } from "./security-options.js";

/** The profile a container is confined by, where the kernel has AppArmor: its own, else Docker's usual one. */
export function apparmorProfile(host: HostConfig, { apparmor }: HostFacts): Pick<OCIProcess, "apparmorProfile"> {
  if (!apparmor) return {};
  const byDefault = host.Privileged ? "unconfined" : "docker-default";
  return { apparmorProfile: securityOf(host.SecurityOpt).AppArmorProfile || byDefault };
}
