import { readFileSync } from "node:fs";
import { InvalidParameter, isErrno } from "../../spec/index.js";
import { close, O, openat2, resolve } from "../../sys/index.js";
import type { Root } from "./container-path.js";

/**
 * The ids of `Config.User` (`name`, `name:group`, numbers for either), by the container's own passwd and group files.
 *
 * @throws InvalidParameter: a name that is not in them
 */
export function userIDs(root: Root, user: string): { readonly uid: number; readonly gid: number } {
  const [name = "", group = ""] = user.split(":");
  const entry = lines(root, "etc/passwd").find(([login, , uid]) => login === name || uid === name);
  const uid = numeric(entry?.[2] ?? name);
  const gid = group === "" ? numeric(entry?.[3] ?? "0") : groupID(root, group);
  if (uid === undefined) throw new InvalidParameter(`unable to find user ${name}: no matching entries in passwd file`);
  if (gid === undefined) throw new InvalidParameter(`unable to find group ${group}: no matching entries in group file`);
  return { uid, gid };
}

function groupID(root: Root, group: string): number | undefined {
  const entry = lines(root, "etc/group").find(([name, , gid]) => name === group || gid === group);
  return numeric(entry?.[2] ?? group);
}

function numeric(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}

/** @see passwd(5), group(5) */
function lines(root: Root, path: string): string[][] {
  try {
    const fd = openat2(root.fd, path, { flags: O.O_RDONLY | O.O_NONBLOCK, resolve: resolve.inRoot });
    try {
      return readFileSync(fd, "utf8")
        .split("\n")
        .map((line) => line.split(":"));
    } finally {
      close(fd);
    }
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EISDIR")) return [];
    throw error;
  }
}
