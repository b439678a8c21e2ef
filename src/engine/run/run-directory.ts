import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownersAreLimited } from "../../driver/index.js";

/** Where what does not outlive the machine's next start is kept, for all data roots: as `/run` is, which is root's. */
function execRoot(): string {
  if (!ownersAreLimited()) return "/run/layerkit";
  return join(process.env.XDG_RUNTIME_DIR || `/tmp/layerkit-${userOutside()}`, "layerkit");
}

/** In a user namespace everybody is root; the machine has another number for each. */
function userOutside(): number {
  const [inside = 0, outside = 0] = readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/).map(Number);
  return (process.getuid?.() ?? 0) - inside + outside;
}

/** The directory for one data root. @param root its real path */
export function runDirectoryOf(root: string, parent = execRoot()): string {
  return join(parent, createHash("sha256").update(root).digest("hex").slice(0, 12));
}
