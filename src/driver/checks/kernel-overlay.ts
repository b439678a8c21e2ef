import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "./check.js";

/** Directories in which a kernel tells of itself; others for tests. */
export interface KernelPlaces {
  readonly proc?: string;
  readonly sys?: string;
  readonly modules?: string;
}

/** Whether the kernel has overlayfs, built in, loaded, or as a module that the first mount loads. */
export function overlayCheck(release: string, { proc = "/proc", modules = "/lib/modules" }: KernelPlaces = {}): Check {
  const check = { name: "overlay in the kernel", needed: "a kernel with CONFIG_OVERLAY_FS" };
  if (/\boverlay$/m.test(read(join(proc, "filesystems")))) return { ...check, found: "it is there", outcome: "ok" };
  const lists = ["modules.builtin", "modules.dep"].map((name) => read(join(modules, release, name)));
  if (lists.some((list) => /\/overlay\.ko\b/.test(list)))
    return {
      ...check,
      found: "a module, not loaded yet",
      outcome: "warning",
      remedy: "modprobe overlay, at each boot",
    };
  const remedy = "modprobe overlay; where there is no such module, boot a kernel that has it";
  return { ...check, found: "neither file system nor module", outcome: "warning", remedy };
}

/** What the kernel does where a mount says nothing, as it does in Docker's. */
export function defaultsCheck({ sys = "/sys" }: KernelPlaces = {}): Check {
  const value = (name: string) => read(join(sys, "module/overlay/parameters", name)).trim();
  const known = ["index", "metacopy", "redirect_dir"].filter((name) => value(name) !== "");
  const found = known.map((name) => `${name}=${value(name)}`).join(" ") || "none shown";
  const check = { name: "kernel defaults", found, needed: "metacopy=N redirect_dir=N (index is set by each mount)" };
  const on = known.filter((name) => name !== "index" && value(name) === "Y");
  return on.length === 0 ? { ...check, outcome: "ok" } : { ...check, outcome: "warning", remedy: switchOff(on) };
}

/** How to have upper directories say what was done in the mount. */
export function switchOff(names: readonly string[] = ["metacopy", "redirect_dir"]): string {
  const options = names.map((name) => `${name}=off`).join(" ");
  return `"options overlay ${options}" in /etc/modprobe.d/overlay.conf, or overlay.NAME=off for each on the kernel's command line`;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
