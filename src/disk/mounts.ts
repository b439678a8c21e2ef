import { readFileSync, realpathSync } from "node:fs";
import { compareNames, decodeName, isErrno } from "../spec/index.js";

/** A mount of this process, as the kernel lists it. @see proc(5), /proc/PID/mountinfo */
export interface MountPoint {
  /** Absolute and without symlinks; decoded. */
  readonly path: string;
  /** Which directory of its file system is seen there. */
  readonly root: string;
  /** `overlay`, `ext4`, `tmpfs` … */
  readonly type: string;
  readonly source: string;
  /** Options of the file system, as `lowerdir=…,upperdir=…`. */
  readonly options: string;
  /** Shared with other mount namespaces: what is mounted in it is mounted there too. */
  readonly shared: boolean;
}

/** All mounts of this process, in the kernel's order: what lies under another comes before it. */
export function readMounts(): MountPoint[] {
  return lines().map(parseMount);
}

/** One character a byte, so that octal escapes and plain bytes above 127 are decoded alike. */
function lines(): string[] {
  const all = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  return all.filter((line) => line !== "");
}

/** Lines of mounts that may be at `real` or below it: on a host with many containers few have to be taken apart. */
function linesAbout(real: string): string[] {
  return /^[!-[\]-~]+$/.test(real) ? lines().filter((line) => line.includes(` ${real}`)) : lines();
}

/** The mounts at `dir` and below it, deepest first, the upper of two at one place first: in the order to unmount. */
export function mountsBelow(dir: string): MountPoint[] {
  return mountsBelowReal(realPath(dir));
}

/** As `mountsBelow`, for a path that has no symlinks in it, or whose last name is not to be followed if it is one. */
export function mountsBelowReal(real: string): MountPoint[] {
  const inside = (path: string) => path === real || path.startsWith(real === "/" ? "/" : `${real}/`);
  const depth = (path: string) => path.split("/").length;
  return linesAbout(real)
    .map(parseMount)
    .filter(({ path }) => inside(path))
    .reverse()
    .sort((a, b) => depth(b.path) - depth(a.path) || compareNames(a.path, b.path));
}

/** What is under a mount whose server is gone has no real path; the kernel lists it by the name it was mounted at. */
function realPath(dir: string): string {
  try {
    return decodeName(realpathSync(dir, { encoding: "buffer" }));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTCONN", "ESTALE")) return dir;
    throw error;
  }
}

/** `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
function parseMount(line: string): MountPoint {
  const fields = line.split(" ");
  const dash = fields.indexOf("-", 6);
  const field = (index: number) => unescaped(fields[index] ?? "");
  return {
    root: field(3),
    path: field(4),
    shared: fields.slice(6, dash).some((tag) => tag.startsWith("shared:")),
    type: field(dash + 1),
    source: field(dash + 2),
    options: field(dash + 3),
  };
}

function unescaped(field: string): string {
  const plain = field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return decodeName(Buffer.from(plain, "latin1"));
}
