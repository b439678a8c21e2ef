import type { Integer } from "../../spec/index.js";

/** `config.json` of an OCI bundle, as far as Docker fills it. @see OCI runtime-spec 1.0.2, config.md, config-linux.md */
export interface OCISpec {
  ociVersion: string;
  process: OCIProcess;
  root: { path: string; readonly?: boolean };
  hostname?: string;
  mounts: OCIMount[];
  annotations?: Readonly<Record<string, string>>;
  linux: OCILinux;
}

/** A process of a container; `runc exec --process` takes it alone. */
export interface OCIProcess {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: OCIUser;
  args: string[];
  env: string[];
  cwd: string;
  capabilities: OCICapabilities;
  rlimits?: { type: string; hard: Integer; soft: Integer }[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  oomScoreAdj: number;
}

export interface OCIUser {
  uid: number;
  gid: number;
  additionalGids: number[];
}

export interface OCICapabilities {
  bounding?: readonly string[];
  effective?: readonly string[];
  permitted?: readonly string[];
}

export interface OCIMount {
  destination: string;
  type: string;
  source: string;
  options: readonly string[];
}

export interface OCILinux {
  sysctl?: Readonly<Record<string, string>>;
  resources: OCIResources;
  cgroupsPath: string;
  namespaces: OCINamespace[];
  devices?: OCIDevice[];
  seccomp?: OCISeccomp;
  rootfsPropagation?: string;
  maskedPaths?: readonly string[];
  readonlyPaths?: readonly string[];
}

/** Without a path a new one; one that is not listed is the host's. */
export interface OCINamespace {
  type: "mount" | "network" | "uts" | "pid" | "ipc" | "cgroup";
  path?: string;
}

export interface OCIDevice {
  path: string;
  /** Block, character, fifo. */
  type: "b" | "c" | "p";
  major: number;
  minor: number;
  /** Permission bits. */
  fileMode: number;
  uid: number;
  gid: number;
}

/** A number that is left out, or -1, is any. */
export interface OCIDeviceRule {
  allow: boolean;
  type?: string;
  major?: number;
  minor?: number;
  access: string;
}

export interface OCIResources {
  devices?: readonly OCIDeviceRule[];
  memory: {
    limit?: Integer;
    reservation?: Integer;
    swap?: Integer;
    swappiness?: Integer;
    disableOOMKiller?: boolean;
  };
  cpu: {
    shares?: Integer;
    quota?: Integer;
    period?: Integer;
    realtimeRuntime?: Integer;
    realtimePeriod?: Integer;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: Integer };
  blockIO: OCIBlockIO;
}

export interface OCIBlockIO {
  weight?: Integer;
  weightDevice?: { major: number; minor: number; weight: Integer }[];
  throttleReadBpsDevice?: OCIThrottle[];
  throttleWriteBpsDevice?: OCIThrottle[];
  throttleReadIOPSDevice?: OCIThrottle[];
  throttleWriteIOPSDevice?: OCIThrottle[];
}

export interface OCIThrottle {
  major: number;
  minor: number;
  rate: Integer;
}

export interface OCISeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: readonly string[];
  flags?: readonly string[];
  syscalls: OCISyscalls[];
}

export interface OCISyscalls {
  names: readonly string[];
  action: string;
  errnoRet?: number;
  /** All have to hold. */
  args?: readonly OCISyscallArg[];
}

export interface OCISyscallArg {
  index: number;
  value: Integer;
  valueTwo?: Integer;
  op: string;
}
