import { InvalidParameter, isErrno, LayerkitError, messageOf, type Path, Unavailable } from "../../spec/index.js";
import { quoted } from "../quoted.js";

/** What system calls answer when the entry is at fault, and not the disk or this machine. */
const entryFaults = {
  EEXIST: "something of that name is in the way",
  EINVAL: "the file system cannot take it as it is",
  EISDIR: "a directory is in the way",
  ELOOP: "its directory is a symbolic link that leads round in circles",
  EMLINK: "its file has as many hard links as the file system allows",
  ENAMETOOLONG: "a name in it is longer than 255 bytes, or the whole longer than 4095",
  ENOENT: "its directory is a symbolic link to nothing",
  ENOTDIR: "a file is where it needs a directory",
} as const;

/** One line that names the entry, whatever went wrong with it. */
export function entryError(path: Path, error: unknown): unknown {
  if (error instanceof LayerkitError || !(error instanceof Error)) return error;
  const cause = { cause: error };
  for (const [code, text] of Object.entries(entryFaults)) {
    if (isErrno(error, code)) return new InvalidParameter(`${quoted(path)}: ${text}`, cause);
  }
  if (isErrno(error, "ENOSPC")) return new Unavailable(`${quoted(path)}: no space left on the disk`, cause);
  if (isErrno(error, "EDQUOT")) return new Unavailable(`${quoted(path)}: the disk quota is used up`, cause);
  return new Unavailable(`${quoted(path)}: ${messageOf(error)}`, cause);
}

/** Docker fails here too, with an EEXIST of mknod; other engines take the one or the other. */
export function bothWrittenAndDeleted(path: Path): InvalidParameter {
  return new InvalidParameter(`${quoted(path)}: the layer both writes it and deletes it by a whiteout after that`);
}
