import { readFileSync } from "node:fs";

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
