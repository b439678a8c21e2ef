import type { ConfigFile } from "../config/index.js";
import type { EngineOptions } from "../engine/index.js";

/** What the config file says of containers that say nothing themselves. */
export function containerDefaults(file: ConfigFile): Pick<EngineOptions, "containers" | "initPath"> {
  const path = file["init-path"];
  const ulimits = Object.values(file["default-ulimits"] ?? {});
  const log = { driver: file["log-driver"], options: file["log-opts"] };
  const containers = {
    cgroupParent: file["cgroup-parent"],
    seccompProfile: file["seccomp-profile"],
    noNewPrivileges: file["no-new-privileges"],
    init: file.init,
    shmSize: file["default-shm-size"],
    ipcMode: file["default-ipc-mode"],
    cgroupnsMode: file["default-cgroupns-mode"],
    log: log.driver || log.options ? log : undefined,
    ...(ulimits.length > 0 && { ulimits }),
  };
  const set = Object.entries(containers).filter(([, value]) => value !== undefined);
  return { containers: Object.fromEntries(set), ...(path && { initPath: path }) };
}
