import type { HostConfig, RunConfig, Ulimit } from "../../spec/index.js";
import type { OCIProcess } from "./oci.js";

/** Everything a container's OCI spec is made from. */
export interface ContainerSetup {
  /** 64 hex digits. */
  readonly id: string;
  /** Absolute path of the mounted tree. */
  readonly rootfs: string;
  /** What is run, and its arguments: `Path` and `Args` of the container's file. */
  readonly path: string;
  readonly args: readonly string[];
  /** With a `Hostname`; that of a container in another's network is the other's. */
  readonly config: RunConfig;
  readonly host: HostConfig;
  /** Binds, volumes (as binds) and tmpfs of `Mounts`; not those of `HostConfig.Tmpfs`, which are read from there. */
  readonly mounts: readonly SetupMount[];
  /** Files of the host for /etc/hostname, /etc/hosts and /etc/resolv.conf. A mount at one of these comes in its place. */
  readonly files: { readonly hostname?: string; readonly hosts?: string; readonly resolvConf?: string };
  /**
   * Directory of the host for /dev/shm: the host's own by `IpcMode` host, of a shareable container or the one it joins.
   * Left out: a tmpfs of `ShmSize` of its own, or none by `IpcMode` none.
   */
  readonly shm?: string;
  /** Paths of namespaces to join. Without one by the modes: new, or the host's. */
  readonly join: { readonly network?: string; readonly ipc?: string; readonly pid?: string };
  /** Path on the host of a small init program; where it is given, and the process namespace is new, it becomes process 1. */
  readonly init?: string;
  /** As the container's file has it, which a daemon's default went into; by `SecurityOpt` unless given. */
  readonly noNewPrivileges?: boolean;
  readonly defaults?: SetupDefaults;
}

/** What the daemon is set to for containers that say nothing themselves. */
export interface SetupDefaults {
  readonly ulimits?: readonly Ulimit[];
  /** `/docker` unless given. */
  readonly cgroupParent?: string;
  /** As in `SecurityOpt` after `seccomp=`. */
  readonly seccompProfile?: string;
}

/** A mount as it is to be: source found or made, destination clean. */
export interface SetupMount {
  readonly type: "bind" | "tmpfs";
  /** On the host; "" of a tmpfs. */
  readonly source: string;
  readonly destination: string;
  readonly rw: boolean;
  /** Of a bind: `rprivate`, `rslave` …; a volume has none. */
  readonly propagation?: string;
  /** `rslave` that nobody asked for: given up where the source's mount is private. */
  readonly propagationIsImplied?: boolean;
  /** Of a bind: mounts below the source do not come along. */
  readonly nonRecursive?: boolean;
  /** With `rw` false: mounts below are read-only too, where the kernel can. */
  readonly readOnlyRecursively?: boolean;
  /** Of a tmpfs: `size=64k`, `mode=1777`; see `tmpfsOptions`. */
  readonly options?: readonly string[];
}

/** A further process in a running container, and the container it is for. */
export interface ExecSetup extends Pick<ContainerSetup, "rootfs" | "config" | "host"> {
  /** `process` of the container's own `config.json`: what is not asked for otherwise comes from there. */
  readonly running: OCIProcess;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** As `User` of a config; the container's unless given, as is `workingDir`. */
  readonly user?: string;
  readonly workingDir?: string;
  /** Over the container's. */
  readonly env?: readonly string[];
  readonly tty?: boolean;
  /** Height and width. */
  readonly consoleSize?: readonly number[];
  readonly privileged?: boolean;
}
