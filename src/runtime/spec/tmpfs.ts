import type { MountRequest } from "../../spec/index.js";
import { RuntimeFailure } from "../failure.js";

/** Options of which the last one given wins. */
const flags: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["suid", "nosuid"],
  ["dev", "nodev"],
  ["exec", "noexec"],
  ["sync", "async"],
  ["dirsync"],
  ["remount"],
  ["mand", "nomand"],
  ["atime", "noatime"],
  ["diratime", "nodiratime"],
  ["bind"],
  ["rbind"],
  ["relatime", "norelatime"],
  ["strictatime", "nostrictatime"],
  ["private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"],
];
const values = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

/**
 * The mount options of a tmpfs: Docker's usual ones and those asked for; of several of one kind the last.
 *
 * @throws RuntimeFailure: one that a tmpfs has not, in Docker's words
 */
export function tmpfsMountOptions(asked: readonly string[]): string[] {
  const all = ["noexec", "nosuid", "nodev", "rprivate", ...asked].filter((option) => option !== "defaults");
  const last = new Map(all.map((option, i) => [kindOf(option), i]));
  const kept = new Set(last.values());
  return all.filter((_, i) => kept.has(i));
}

function kindOf(option: string): string | number {
  const flag = flags.findIndex((group) => group.includes(option));
  if (flag >= 0) return flag;
  const [key = "", value] = option.split(/=(.*)/s);
  if (value !== undefined && values.includes(key)) return key;
  const parts = value === undefined ? [key] : [key, value];
  throw new RuntimeFailure(`invalid tmpfs option [${parts.map((part) => JSON.stringify(part)).join(" ")}]`);
}

/** `TmpfsOptions` of a mount request as mount options. */
export function tmpfsOptions({ SizeBytes = 0, Mode = 0 }: NonNullable<MountRequest["TmpfsOptions"]>): string[] {
  const options = Mode === 0 ? [] : [`mode=${Mode.toString(8)}`];
  return SizeBytes === 0 ? options : [...options, `size=${sizeText(SizeBytes)}`];
}

function sizeText(bytes: number): string {
  const unit = [30, 20, 10].find((shift) => bytes % 2 ** shift === 0);
  return unit === undefined ? String(bytes) : `${bytes / 2 ** unit}${{ 30: "g", 20: "m", 10: "k" }[unit]}`;
}
