import { isErrno } from "../../spec/index.js";
import { close, fgetxattr, flistxattr, lgetxattr, llistxattr, O, openat } from "../../sys/index.js";
import { pathIn } from "./directory.js";

/** `all` leaves overlayfs's own out, `every` does not. */
export type XattrChoice = "capability" | "all" | "every" | "none";
export type Xattrs = ReadonlyMap<string, Uint8Array>;

const none: Xattrs = new Map();
const capability = "security.capability";

/** All xattrs of `name` in an open directory, which may be anything. */
export function allXattrs(dir: number, name: string, choice: XattrChoice = "all"): Xattrs {
  const path = pathIn(dir, name);
  return collect(chosen(llistxattr(path), choice), (xattr) => lgetxattr(path, xattr));
}

/** The chosen xattrs of what is open; only a regular file has a capability. */
export function xattrsOf(fd: number, choice: XattrChoice): Xattrs {
  if (choice === "all" || choice === "every") {
    return collect(chosen(flistxattr(fd), choice), (name) => fgetxattr(fd, name));
  }
  return choice === "capability" ? collect([capability], () => capabilityOf(fd)) : none;
}

/** The capability, raw, of a regular file. @returns undefined: it has none, or nobody may look */
export function capabilityIn(dir: number, name: string): Uint8Array | undefined {
  const fd = openat(dir, name, O.O_RDONLY | O.O_NOFOLLOW | O.O_NONBLOCK);
  try {
    return capabilityOf(fd);
  } finally {
    close(fd);
  }
}

/** @returns undefined: it has none, or the file system knows none */
function capabilityOf(fd: number): Uint8Array | undefined {
  try {
    return fgetxattr(fd, capability);
  } catch (error) {
    if (isErrno(error, "EOPNOTSUPP", "ENOTSUP")) return undefined;
    throw error;
  }
}

function collect(names: readonly string[], get: (name: string) => Uint8Array | undefined): Xattrs {
  let found: Map<string, Uint8Array> | undefined;
  for (const name of names) {
    const value = get(name);
    if (value) found = (found ?? new Map()).set(name, value);
  }
  return found ?? none;
}

function chosen(names: readonly string[], choice: XattrChoice): readonly string[] {
  return choice === "every" ? names : names.filter((name) => !/^(trusted|user)\.overlay\./.test(name));
}
