import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type HostConfig, messageOf } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";
import { usualProfile } from "./apparmor-profile.js";
import { securityOf } from "./security-options.js";

/** The profiles of a kernel that has AppArmor. */
export interface AppArmor {
  /** Loads the profile that confines a container that names none, unless it is loaded. @throws RuntimeFailure */
  loadUsual(): Promise<void>;
}

const usualName = "docker-default";

/** The profile a container is confined by: its own, else Docker's usual one, which is loaded for it. */
export async function apparmorProfile(host: HostConfig, apparmor: AppArmor | undefined): Promise<string | undefined> {
  if (apparmor === undefined) return undefined;
  const name = securityOf(host.SecurityOpt).AppArmorProfile || (host.Privileged ? "unconfined" : usualName);
  if (name === usualName) await apparmor.loadUsual();
  return name;
}

const filesystem = "/sys/kernel/security/apparmor";
const parser = "/sbin/apparmor_parser";

/** As Docker decides it: the kernel has it, profiles can be loaded, and we are not in a container ourselves. */
export function findAppArmor(isEnabled: boolean): AppArmor | undefined {
  const isUsable = isEnabled && existsSync(filesystem) && existsSync(parser) && !process.env.container;
  return isUsable ? { loadUsual } : undefined;
}

async function loadUsual(): Promise<void> {
  try {
    const loaded = await readFile(`${filesystem}/profiles`, "utf8");
    if (loaded.split("\n").some((line) => line.startsWith(`${usualName} (`))) return;
    const own = (await readFile("/proc/self/attr/current", "utf8")).trim().split(" ")[0] ?? "unconfined";
    const loading = promisify(execFile)(parser, ["--replace", "--skip-cache"], { timeout: 30_000 });
    loading.child.stdin?.end(usualProfile(usualName, own));
    await loading;
  } catch (error) {
    const why = messageOf(error);
    throw new RuntimeFailure(`AppArmor is enabled, but the ${usualName} profile could not be loaded: ${why}`, {
      cause: error,
    });
  }
}
