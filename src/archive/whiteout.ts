import { baseOf, joinPath, type Path, parentOf } from "../spec/index.js";

/**
 * How layers spell deletions: entry `.wh.NAME` hides NAME, entry `.wh..wh..opq` all that lower layers have in its
 * directory. Other names from `.wh..wh.` on were bookkeeping of aufs.
 *
 * @see OCI image-spec v1.1 layer.md, "Whiteouts"
 */
const prefix = ".wh.";
const opaqueName = ".wh..wh..opq";
const aufsPrefix = ".wh..wh.";

/** What an entry's clean path spells; undefined for an ordinary one; `invalid` says what is wrong with it. */
export type Spelled =
  | { readonly kind: "whiteout" | "opaque"; readonly path: Path }
  | { readonly kind: "invalid"; readonly why: string }
  | undefined;

export function spelledBy(path: Path): Spelled {
  if (!path.includes(prefix)) return undefined;
  const name = baseOf(path);
  const dir = parentOf(path);
  if (dir.startsWith(prefix) || dir.includes(`/${prefix}`))
    return invalid("it lies in a directory named as a whiteout");
  if (!name.startsWith(prefix)) return undefined;
  if (name === opaqueName) return { kind: "opaque", path: dir };
  if (name.startsWith(aufsPrefix)) return invalid("bookkeeping of aufs, which no current tool writes");
  const hidden = name.slice(prefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") return invalid("invalid whiteout entry");
  return { kind: "whiteout", path: joinPath(dir, hidden) };
}

function invalid(why: string): Spelled {
  return { kind: "invalid", why };
}

/** Name of the entry that hides `path`. */
export function whiteoutName(path: Path): Path {
  return joinPath(parentOf(path), prefix + baseOf(path));
}

/** Name of the entry that makes directory `path` opaque. */
export function opaqueMarker(path: Path): Path {
  return joinPath(path, opaqueName);
}
