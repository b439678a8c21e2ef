import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Why no process can be given subordinate ids of its own, or undefined. */
export const withoutSubIDs = existsSync("/etc/subuid") && existsSync("/etc/subgid") ? undefined : "no /etc/subuid";

/**
 * Makes commands see these lines as the machine's subordinate ids, in mount namespaces of their own.
 *
 * @param dir an existing directory for them
 */
export function withSubIDs(dir: string, subuid: string, subgid: string): (command: readonly string[]) => string[] {
  writeFileSync(join(dir, "subuid"), subuid);
  writeFileSync(join(dir, "subgid"), subgid);
  const script = 'mount --bind "$0/subuid" /etc/subuid && mount --bind "$0/subgid" /etc/subgid && exec "$@"';
  return (command) => ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, dir, ...command];
}
