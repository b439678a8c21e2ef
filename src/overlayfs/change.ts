import type { Path } from "../spec/index.js";

/** What a file system keeps beside a node's content. */
export interface Meta {
  /** Permission bits with setuid, setgid and sticky: `mode & 0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970; negative before. */
  readonly mtimeNs: bigint;
  /** Extended attributes, name to bytes; never overlayfs's own (`trusted.overlay.*`, `user.overlay.*`). */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** File content in pieces. A piece handed out is never written to again. `for await` reads both kinds. */
export type Body = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * One thing a layer does to the tree below it, without file content; a layer is an ordered stream of these.
 * A directory comes before what is in it, a hard link after the file it links to.
 */
export type ChangeHead =
  | { readonly kind: "file"; readonly path: Path; readonly meta: Meta; readonly size: number }
  | { readonly kind: "directory" | "fifo"; readonly path: Path; readonly meta: Meta }
  | { readonly kind: "symlink"; readonly path: Path; readonly meta: Meta; readonly target: string }
  /** Another name for the file at `to`; its `meta` is the shared inode's. */
  | { readonly kind: "hardlink"; readonly path: Path; readonly meta: Meta; readonly to: Path }
  | {
      readonly kind: "char" | "block";
      readonly path: Path;
      readonly meta: Meta;
      readonly major: number;
      readonly minor: number;
    }
  /** Hides `path` in every layer below. */
  | { readonly kind: "whiteout"; readonly path: Path; readonly meta?: Meta }
  /** Hides all that lower layers have inside directory `path`. */
  | { readonly kind: "opaque"; readonly path: Path; readonly meta?: Meta };

/** A change with the content of its file. An unread `body` is skipped at the next change. */
export type Change =
  | Exclude<ChangeHead, { kind: "file" }>
  | (Extract<ChangeHead, { kind: "file" }> & { readonly body: Body });

/** A change whose content can be read without waiting: what walks of directories give, inside a worker. */
export type SyncChange =
  | Exclude<ChangeHead, { kind: "file" }>
  | (Extract<ChangeHead, { kind: "file" }> & { readonly body: Iterable<Uint8Array> });

/**
 * Takes the changes of one layer in order, without waiting: the form that unpacking uses inside a worker, where one
 * promise an entry would cost more than the entry. After a `file` change come its `size` bytes by `data`.
 */
export interface ChangeSink {
  change(change: ChangeHead): void;
  data(chunk: Uint8Array): void;
}
