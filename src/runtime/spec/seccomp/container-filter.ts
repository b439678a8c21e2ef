import { RuntimeFailure } from "../../failure.js";
import type { HostFacts } from "../host-facts.js";
import type { OCISeccomp } from "../oci.js";
import { securityOf } from "../security-options.js";
import type { ContainerSetup } from "../setup.js";
import { defaultProfile } from "./default-profile.js";
import { narrowed, parseProfile } from "./profile.js";

/**
 * The filter of a container's system calls: its own profile, the daemon's, or Docker's; none when it is privileged.
 *
 * @throws RuntimeFailure: not a profile; or one of its own is asked for where the kernel has no seccomp
 */
export function seccompOf(
  { host, defaults }: ContainerSetup,
  capabilities: readonly string[],
  facts: HostFacts,
): OCISeccomp | undefined {
  const own = securityOf(host.SecurityOpt).SeccompProfile;
  if (host.Privileged || own === "unconfined") return undefined;
  if (!facts.seccomp) {
    if (own === "") return undefined;
    throw new RuntimeFailure("seccomp is not enabled in your kernel, cannot run a custom seccomp profile");
  }
  const text = own || defaults?.seccompProfile || "";
  if (text === "unconfined") return undefined;
  return narrowed(text === "" ? defaultProfile : parseProfile(text), { ...facts, capabilities });
}
