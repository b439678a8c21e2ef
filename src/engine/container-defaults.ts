import { readFileSync } from "node:fs";
import { checkSeccompProfile, type SetupDefaults } from "../runtime/index.js";
import { InvalidParameter, messageOf, type Ulimit } from "../spec/index.js";

/** What containers get that say nothing themselves. */
export interface ContainerDefaults {
  readonly ulimits?: readonly Ulimit[];
  /** The control group above theirs: `/docker` unless given. */
  readonly cgroupParent?: string;
  /** Path of a seccomp profile, or `unconfined`; Docker's own unless given. */
  readonly seccompProfile?: string;
  readonly noNewPrivileges?: boolean;
  /** An init program is put before theirs. */
  readonly init?: boolean;
  /** Of /dev/shm, in bytes. */
  readonly shmSize?: number;
  readonly ipcMode?: "private" | "shareable";
  /** Where their output goes, and its options: `json-file` unless given. */
  readonly log?: { readonly driver?: string; readonly options?: Readonly<Record<string, string>> };
  /** By the version of control groups unless given. */
  readonly cgroupnsMode?: "private" | "host";
}

/** What of them counts at each start. Reads the seccomp profile. @throws InvalidParameter: not a profile, or no file */
export function setupDefaults({ ulimits, cgroupParent, seccompProfile: path }: ContainerDefaults): SetupDefaults {
  return {
    ...(ulimits && { ulimits }),
    ...(cgroupParent && { cgroupParent }),
    ...(path && { seccompProfile: path === "unconfined" ? path : readProfile(path) }),
  };
}

function readProfile(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    checkSeccompProfile(text);
    return text;
  } catch (error) {
    throw new InvalidParameter(`seccomp profile ${path}: ${messageOf(error)}`, { cause: error });
  }
}
