import type { HostConfig } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";

/** The kernel's capabilities, the place in the list being the bit. @see capabilities(7) */
export const knownCapabilities: readonly string[] = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
  SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
  MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

/** What a container has that asks for nothing, in Docker's order. */
const usual = `CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT
  KILL AUDIT_WRITE`
  .split(/\s+/)
  .map((name) => `CAP_${name}`);

const all = "CAP_ALL";

/** Whether this names a capability of the kernel, or all of them; `CAP_` in front and case do not matter. */
export function isCapability(name: string): boolean {
  return [...knownCapabilities, all].includes(fullName(name));
}

/**
 * The capabilities of a container: the usual ones with `CapDrop` and `CapAdd` applied, all when it is privileged.
 *
 * @param available those that can be given; of the usual ones no others are
 * @throws RuntimeFailure: one is asked for that there is not, in Docker's words
 */
export function capabilitiesOf(host: HostConfig, available: readonly string[]): string[] {
  if (host.Privileged) return [...available];
  const added = (host.CapAdd ?? []).map(fullName);
  const dropped = (host.CapDrop ?? []).map(fullName);
  if (added.includes(all)) return available.filter((name) => !dropped.includes(name));
  for (const name of added) checkAvailable(name, available);
  const base = dropped.includes(all) ? [] : usual.filter((name) => available.includes(name));
  return [...new Set([...base.filter((name) => !dropped.includes(name)), ...added])];
}

function checkAvailable(name: string, available: readonly string[]): void {
  if (available.includes(name)) return;
  const why = knownCapabilities.includes(name)
    ? "capability not supported by your kernel or not available in the current environment"
    : "unknown capability";
  throw new RuntimeFailure(`invalid CapAdd: ${why}: "${name}"`);
}

function fullName(capability: string): string {
  return `CAP_${capability.toUpperCase().replace(/^CAP_/, "")}`;
}
