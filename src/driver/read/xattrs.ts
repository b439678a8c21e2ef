import { isErrno } from "../../spec/index.js";
import { fgetxattr, flistxattr, lgetxattr, llistxattr } from "../../sys/index.js";

export type XattrChoice = "capability" | "all" | "none";

const none: ReadonlyMap<string, Uint8Array> = new Map();
const capability = "security.capability";

/** The chosen xattrs at a path; only a regular file has a capability. */
export function xattrsAt(path: string, isFile: boolean, choice: XattrChoice): ReadonlyMap<string, Uint8Array> {
  if (choice === "all") return collect(llistxattr(path), (name) => lgetxattr(path, name));
  return choice === "capability" && isFile ? collect([capability], () => capabilityOf(path)) : none;
}

/** The chosen xattrs of an open directory. */
export function xattrsOf(fd: number, choice: XattrChoice): ReadonlyMap<string, Uint8Array> {
  return choice === "all" ? collect(flistxattr(fd), (name) => fgetxattr(fd, name)) : none;
}

/** The file capability at a path, raw. @returns undefined: it has none, or the file system knows none */
export function capabilityOf(path: string): Uint8Array | undefined {
  try {
    return lgetxattr(path, capability);
  } catch (error) {
    if (isErrno(error, "EOPNOTSUPP", "ENOTSUP")) return undefined;
    throw error;
  }
}

function collect(
  names: readonly string[],
  get: (name: string) => Uint8Array | undefined,
): ReadonlyMap<string, Uint8Array> {
  let found: Map<string, Uint8Array> | undefined;
  for (const name of names) {
    if (/^(trusted|user)\.overlay\./.test(name)) continue;
    const value = get(name);
    if (value) found = (found ?? new Map()).set(name, value);
  }
  return found ?? none;
}
