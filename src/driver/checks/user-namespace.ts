import { readFileSync } from "node:fs";
import type { Check } from "./check.js";
import { isAtLeast, parseKernel } from "./kernel-version.js";

/** Whether this process is in a user namespace: its ids are not those of the machine. */
export function inUserNamespace(): boolean {
  return !isIdentity(readFileSync("/proc/self/uid_map", "utf8"));
}

/** @param map `/proc/PID/uid_map`: first id inside, first outside, how many */
export function isIdentity(map: string): boolean {
  const [inside, outside, count] = map.trim().split(/\s+/).map(Number);
  return inside === 0 && outside === 0 && count === 4294967295;
}

/** Whether some owners cannot be given: in a user namespace, and to an ordinary user. */
export function ownersAreLimited(): boolean {
  return inUserNamespace() || process.geteuid?.() !== 0;
}

/** Inside one overlayfs keeps its marks in `user.overlay.*`, by the mount option `userxattr`. */
export function userNamespaceCheck(release: string, isInside = inUserNamespace()): Check {
  const check = { name: "user namespace", needed: "none; inside one, Linux 5.11 or newer for userxattr" };
  if (!isInside) return { ...check, found: "none", outcome: "ok" };
  const version = parseKernel(release);
  const found = `in one, on Linux ${release}`;
  if (version === undefined || isAtLeast(version, [5, 11])) return { ...check, found, outcome: "ok" };
  const remedy =
    "boot a newer kernel, or be root outside of it; some distributions' older kernels can do it all the same";
  return { ...check, found, outcome: "warning", remedy };
}
