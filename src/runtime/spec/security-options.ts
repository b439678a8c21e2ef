import { InvalidParameter } from "../../spec/index.js";

/** What `HostConfig.SecurityOpt` comes to, as the container's file keeps it. */
export interface Security {
  NoNewPrivileges: boolean;
  /** The profile itself as JSON, `unconfined`, or "" for the default one. */
  SeccompProfile: string;
  /** A profile's name, `unconfined`, or "" for the default one. */
  AppArmorProfile: string;
}

/**
 * What `HostConfig.SecurityOpt` means for a container.
 *
 * @param noNewPrivileges of one that does not say
 * @throws InvalidParameter: an option that there is not
 */
export function securityOf(options: readonly string[] | null | undefined, noNewPrivileges = false): Security {
  const security = { NoNewPrivileges: noNewPrivileges, SeccompProfile: "", AppArmorProfile: "" };
  for (const option of options ?? []) {
    const [, key = option, value] = /^([^=:]*)[=:]([\s\S]*)$/.exec(option) ?? [];
    if (key === "no-new-privileges") security.NoNewPrivileges = value === undefined || truth(option, value);
    else if (key === "disable" && value === undefined) continue;
    else if (value === undefined) throw new InvalidParameter(`invalid --security-opt 1: ${JSON.stringify(option)}`);
    else if (key === "seccomp") security.SeccompProfile = value;
    else if (key === "apparmor") security.AppArmorProfile = value;
    else if (key !== "label") throw new InvalidParameter(`invalid --security-opt 2: ${JSON.stringify(option)}`);
  }
  return security;
}

function truth(option: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new InvalidParameter(`invalid --security-opt 2: ${JSON.stringify(option)}`);
}
