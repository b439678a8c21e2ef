import { createHash } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ownersAreLimited } from "../../driver/index.js";
import { Unavailable } from "../../spec/index.js";

/** Where what does not outlive the machine's next start is kept, for all data roots. */
function execRoot(): string {
  if (!ownersAreLimited()) return "/run/layerkit";
  const { XDG_RUNTIME_DIR: own } = process.env;
  return own ? join(own, "layerkit") : ownPlace(`/tmp/layerkit-${userOnHost()}`);
}

/** @throws Unavailable: it is another user's, who would be the one to run our containers */
function ownPlace(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !(found.isDirectory() && found.uid === process.getuid?.())) {
    throw new Unavailable(`${path} belongs to somebody else: set XDG_RUNTIME_DIR to a directory of your own`);
  }
  return path;
}

/** Who we are outside of the user namespace that we may be in. */
function userOnHost(): number {
  const uid = process.getuid?.() ?? 0;
  for (const line of readFileSync("/proc/self/uid_map", "utf8").trim().split("\n")) {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    if (uid >= inside && uid < inside + count) return outside + uid - inside;
  }
  return uid;
}

/** The directory for one data root. @param root its real path */
export function runDirectoryOf(root: string, parent = execRoot()): string {
  return join(parent, createHash("sha256").update(root).digest("hex").slice(0, 12));
}
