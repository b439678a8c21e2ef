import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where what does not outlive the machine's next start is kept, for all data roots: as `/run` is. */
function execRoot(): string {
  if (process.getuid?.() === 0) return "/run/layerkit";
  return join(process.env.XDG_RUNTIME_DIR || `/tmp/layerkit-${process.getuid?.()}`, "layerkit");
}

/** The directory for one data root. @param root its real path */
export function runDirectoryOf(root: string, parent = execRoot()): string {
  return join(parent, createHash("sha256").update(root).digest("hex").slice(0, 12));
}
