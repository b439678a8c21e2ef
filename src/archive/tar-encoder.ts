import type { ChangeHead, Meta } from "../overlayfs/index.js";
import { encodeName } from "../spec/index.js";
import { encode, type Fields } from "./tar-entry.js";
import { blockSize, paddingOf } from "./tar-header.js";
import { opaqueMarker, whiteoutName } from "./whiteout.js";

const empty = Buffer.alloc(0);
const noMeta: Meta = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };
const zeroBlocks = Buffer.alloc(2 * blockSize);

/** Type letter of a tar header, and the type bits Docker puts into its mode. */
const types = {
  file: ["0", 0o100000],
  hardlink: ["1", 0o100000],
  symlink: ["2", 0o120000],
  char: ["3", 0o020000],
  block: ["4", 0o060000],
  directory: ["5", 0o040000],
  fifo: ["6", 0o010000],
} as const;

/** What dockerd up to 20.10 writes into the archives of commits, and later ones and we do not. Plain data. */
export interface OldForm {
  /** Names by number, as the host's passwd and group have them. */
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
  /** Later whiteouts are called links to the first: the kernel makes all those of one mount one file. */
  readonly linksWhiteouts: boolean;
  /** Time of whiteouts: where dockerd unpacks a layer they get that of their making. */
  readonly whiteoutNs?: bigint | undefined;
}

/**
 * Writes changes as Docker's tar writer does, byte for byte as versions that leave out owner names do: ustar where
 * everything fits, PAX records where not, owners by number only, times cut to seconds, of the xattrs
 * `security.capability` alone. For a worker: nothing waits.
 *
 * Not taken over from Docker: the link name that its second and later whiteouts of a layer carry, since only a
 * directory written by the kernel tells it and every reader ignores it.
 *
 * @see docker-data-root.md 9.1, 9.2; Go archive/tar Writer
 */
export class TarEncoder {
  readonly #old: OldForm | undefined;
  #firstWhiteout: string | undefined;

  /** @param old to write what an old dockerd has written */
  constructor(old?: OldForm) {
    this.#old = old;
  }

  /** All bytes of the entry up to the content of a `file`. */
  head(change: ChangeHead): Buffer {
    const fields = fieldsOf(change);
    if (!this.#old) return encode(fields);
    const { users, groups, linksWhiteouts, whiteoutNs } = this.#old;
    const linkname = linksWhiteouts ? this.#whiteoutLink(change) : undefined;
    const owners = { user: users.get(fields.uid), group: groups.get(fields.gid) };
    const isDated = change.kind === "whiteout" && whiteoutNs !== undefined;
    const time = isDated && { seconds: floorSeconds(whiteoutNs) };
    return encode({ ...fields, ...owners, ...time, ...(linkname !== undefined && { linkname: encodeName(linkname) }) });
  }

  #whiteoutLink({ kind, path }: ChangeHead): string | undefined {
    if (kind !== "whiteout") return undefined;
    const first = this.#firstWhiteout;
    this.#firstWhiteout ??= path;
    return first;
  }

  /** What follows the content of a file of `size` bytes. */
  padding(size: number): Buffer {
    return zeroBlocks.subarray(0, paddingOf(size));
  }

  /** The two zero blocks at the end. */
  end(): Buffer {
    return zeroBlocks;
  }
}

function fieldsOf(change: ChangeHead): Fields {
  const meta = change.meta ?? noMeta;
  const isMarker = change.kind === "whiteout" || change.kind === "opaque";
  const isDevice = change.kind === "char" || change.kind === "block";
  return {
    name: encodeName(nameOf(change)),
    linkname: linkOf(change),
    type: isMarker ? "0" : types[change.kind][0],
    mode: modeOf(change, meta),
    uid: meta.uid,
    gid: meta.gid,
    size: change.kind === "file" ? change.size : 0,
    seconds: change.kind === "opaque" ? 0n : floorSeconds(meta.mtimeNs),
    major: isDevice ? change.major : 0,
    minor: isDevice ? change.minor : 0,
    capability: isMarker ? undefined : capabilityOf(meta),
  };
}

function modeOf({ kind }: ChangeHead, { mode }: Meta): number {
  if (kind === "whiteout") return 0o600;
  return kind === "opaque" ? mode & 0o777 : types[kind][1] | (mode & 0o7777);
}

function linkOf(change: ChangeHead): Buffer {
  if (change.kind === "symlink") return encodeName(change.target);
  return change.kind === "hardlink" ? encodeName(change.to) : empty;
}

function nameOf({ kind, path }: ChangeHead): string {
  if (kind === "whiteout") return whiteoutName(path);
  if (kind === "opaque") return opaqueMarker(path);
  if (kind !== "directory") return path;
  if (path === "") return "./";
  return path.endsWith("/") ? path : `${path}/`;
}

/** Rounds down, also before 1970. */
function floorSeconds(ns: bigint): bigint {
  const seconds = ns / 1_000_000_000n;
  return ns < seconds * 1_000_000_000n ? seconds - 1n : seconds;
}

/** Capabilities of the third revision name the user namespace they hold in; Docker writes the second, which does not. */
function capabilityOf(meta: Meta): Buffer | undefined {
  const value = meta.xattrs.get("security.capability");
  if (value === undefined) return undefined;
  const copy = Buffer.from(value);
  if (copy[3] !== 3) return copy;
  copy[3] = 2;
  return copy.subarray(0, 20);
}
