/**
 * Containers by `runc`, under a supervisor that outlives the daemon: starts them, holds their standard streams, writes
 * their logs, and tells their exits. Takes the path of a root file system; knows no layer and no image.
 */
export { canReadOnlyDeeply } from "./deep-read-only.js";
export * from "./failure.js";
export { type ReadLogOptions, readLog } from "./log/reader.js";
export {
  type Bridge,
  type BridgeMember,
  gatewayOf,
  type PublishedPort,
} from "./network/bridge.js";
export { joinBridge, leaveBridge } from "./network/connector.js";
export { freeHostPort } from "./network/host-ports.js";
export { addressOfDevice, freeSubnet } from "./network/host-subnets.js";
export { NetworkNamespaces, removeNamespace } from "./network/namespace.js";
export {
  addressText,
  freeAddress,
  hardwareAddress,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetText,
} from "./network/subnet.js";
export type { RuntimePlace } from "./runc.js";
export { limitContainer, pauseContainer, resumeContainer } from "./running.js";
export { type Program, writeRuntime } from "./runtime-of.js";
export { isCapability } from "./spec/capabilities.js";
export { type HostFacts, hostFacts } from "./spec/host-facts.js";
export { findInit } from "./spec/init.js";
export { defaultMaskedPaths, defaultReadonlyPaths } from "./spec/masked-paths.js";
export type { OCIProcess, OCISpec } from "./spec/oci.js";
export { checkSeccompProfile } from "./spec/seccomp/profile.js";
export { type Security, securityOf } from "./spec/security-options.js";
export type * from "./spec/setup.js";
export { containerSpec, execSpec, specText } from "./spec/spec.js";
export { tmpfsOptions } from "./spec/tmpfs.js";
export { openSupervisor, type SupervisorOptions } from "./supervisor/client.js";
export type * from "./supervisor/contract.js";
