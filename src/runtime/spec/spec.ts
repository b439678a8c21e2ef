import { goJSON } from "../../spec/index.js";
import { devicesOf } from "./devices.js";
import { type HostFacts, hostFacts } from "./host-facts.js";
import { defaultMaskedPaths, defaultReadonlyPaths } from "./masked-paths.js";
import { mountsOf } from "./mounts.js";
import { namespacesOf } from "./namespaces.js";
import type { OCIProcess, OCISpec } from "./oci.js";
import { execProcessOf, processOf } from "./process.js";
import { cgroupsPath, resourcesOf } from "./resources.js";
import { seccompOf } from "./seccomp/container-filter.js";
import type { ContainerSetup, ExecSetup } from "./setup.js";
import { sysctlsOf } from "./sysctls.js";

/**
 * The OCI spec of a container, as dockerd 20.10 writes it. Reads the container's passwd and group, and the host's
 * devices; changes nothing, but that AppArmor gets Docker's usual profile where it has not.
 *
 * @throws RuntimeFailure: something was asked for that there is not, in Docker's words
 */
export async function containerSpec(setup: ContainerSetup, facts: HostFacts = hostFacts()): Promise<OCISpec> {
  const { config, host, rootfs } = setup;
  const process = await processOf(setup, facts);
  const { devices, rules } = devicesOf(host);
  const { mounts, rootfsPropagation } = await mountsOf(setup, facts);
  const sysctl = sysctlsOf(setup, facts);
  const seccomp = seccompOf(setup, process.capabilities.bounding ?? [], facts);
  const masked = host.MaskedPaths ?? (host.Privileged ? [] : defaultMaskedPaths);
  const readonly = host.ReadonlyPaths ?? (host.Privileged ? [] : defaultReadonlyPaths);
  return {
    ociVersion: "1.0.2",
    process,
    root: { path: rootfs, ...(host.ReadonlyRootfs && { readonly: true }) },
    ...(config.Hostname && host.UTSMode !== "host" && { hostname: config.Hostname }),
    mounts,
    ...(host.Annotations && { annotations: host.Annotations }),
    linux: {
      ...(Object.keys(sysctl).length > 0 && { sysctl }),
      resources: resourcesOf(host, rules, facts),
      cgroupsPath: cgroupsPath(setup),
      namespaces: namespacesOf(setup, facts),
      ...(devices.length > 0 && { devices }),
      ...(seccomp && { seccomp }),
      ...(rootfsPropagation && { rootfsPropagation }),
      ...(masked.length > 0 && { maskedPaths: masked }),
      ...(readonly.length > 0 && { readonlyPaths: readonly }),
    },
  };
}

/**
 * A further process in a running container.
 *
 * @throws RuntimeFailure: a user that there is not, in Docker's words
 */
export async function execSpec(setup: ExecSetup, facts: HostFacts = hostFacts()): Promise<OCIProcess> {
  return execProcessOf(setup, facts);
}

/** The text of `config.json`, or of what `runc exec --process` reads; numbers of any size as they were given. */
export function specText(spec: OCISpec | OCIProcess): string {
  return goJSON(spec);
}
