import type { Check } from "./check.js";

/** Numbers of a kernel, the most important first: version, patch level, sublevel and the distribution's own build. */
export type KernelVersion = readonly [major: number, minor: number, patch: number, build: number];

/** @param release as `uname -r` prints it: `5.15.0-105-generic`, `6.8-rc1`; what is not there is 0 */
export function parseKernel(release: string): KernelVersion | undefined {
  const [, major, minor, patch = 0, build = 0] = /^(\d+)\.(\d+)(?:\.(\d+)(?:-(\d+)(?!\w))?)?/.exec(release) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch), Number(build)];
}

export function isAtLeast(version: KernelVersion, least: readonly number[]): boolean {
  const [at = -1] = [...least.entries()].filter(([index, number]) => version[index] !== number).map(([index]) => index);
  return at === -1 || version[at]! > least[at]!;
}

/** The overlayfs of Linux 4.0 in the kernels of RHEL 7.3 and later, and of those that are built from it. */
const redHatBuild = 514;
const needs = { overlay2: [4, 0], overlay: [3, 18] } as const;

export interface Machine {
  /** `uname -r` */
  readonly release: string;
  /** @see osRelease */
  readonly os: ReadonlyMap<string, string>;
}

/**
 * Whether the kernel is new enough. @see Docker's storage driver documentation, "Prerequisites"
 *
 * @param override `overlay2.override_kernel_check`: it is tried all the same
 */
export function kernelCheck(driver: keyof typeof needs, { release, os }: Machine, override = false): Check {
  const version = parseKernel(release);
  const needed = `${needs[driver].join(".")} or newer, or 3.10.0-${redHatBuild} or newer on RHEL and CentOS`;
  const check = { name: `kernel version for ${driver}`, found: release, needed } as const;
  if (version === undefined)
    return { ...check, outcome: "warning", remedy: "none is known: the release cannot be read, the mount decides" };
  if (isAtLeast(version, needs[driver]) || isRedHats(version, release, os)) return { ...check, outcome: "ok" };
  if (override) return { ...check, outcome: "warning", remedy: "boot a newer kernel, should mounts fail" };
  const way = driver === "overlay2" ? ", or try with --storage-opt overlay2.override_kernel_check=true" : "";
  return { ...check, outcome: "failed", remedy: `boot a newer kernel${way}` };
}

/** The machine's kernel is Red Hat's where its release says `.el7`, whatever container this process is in. */
function isRedHats(version: KernelVersion, release: string, os: ReadonlyMap<string, string>): boolean {
  const family = `${os.get("ID") ?? ""} ${os.get("ID_LIKE") ?? ""}`.split(/\s+/);
  const isRedHat = /\.el7/.test(release) || family.some((name) => ["rhel", "centos"].includes(name));
  const [major, minor, patch, build] = version;
  return isRedHat && major === 3 && minor === 10 && patch === 0 && build >= redHatBuild;
}
