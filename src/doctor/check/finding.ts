import type { ChainID, ImageID } from "../../spec/index.js";
import type { NameProof } from "./known/name-proofs.js";

/** Something about a data root that is not as it should be. */
export interface Finding {
  /** What is the matter, in one stable word for programs, as `link-missing`. @see docs/damage.md */
  readonly kind: string;
  /** `damage`: somebody misses something; `leftover`: nobody needs it; `oddity`: it does no harm. */
  readonly severity: Severity;
  /** Absolute path of what is wrong, or missing. */
  readonly path: string;
  /** What is wrong, in one line without the path. */
  readonly what: string;
  /** What comes of it for who uses the root, in one line. */
  readonly means: string;
  /** Images that cannot be used wholly because of it. */
  readonly images: readonly ImageID[];
  /** IDs of the containers, likewise. */
  readonly containers: readonly string[];
  /** What `repair` does about it, in order; empty: nothing that could be proved right. */
  readonly remedy: readonly Step[];
  /** Of the content of a layer: what in it differs, and how; the first of them. */
  readonly files?: readonly Difference[];
  /** How many more there are. */
  readonly moreFiles?: number;
}

/** One thing in a layer's directory that is not as the layer has it. */
export interface Difference {
  /** In the layer; decoded, without a `/` in front. */
  readonly path: string;
  readonly how: How;
  /** What there is, and what should be; where that can be said. */
  readonly found?: string;
  readonly expected?: string;
}

/**
 * `undeleted`: a name that the layer deletes is not marked as deleted; `type`: it is another kind of thing, or leads or
 * stands for something else; `time`: the last change, to the second.
 */
export type How = (typeof hows)[number];
export const hows = [
  "missing",
  "content",
  "type",
  "undeleted",
  "extra",
  "mode",
  "owner",
  "capability",
  "time",
] as const;

/** The worst first. */
export const severities = ["damage", "leftover", "oddity"] as const;
export type Severity = (typeof severities)[number];

/** One thing that a repair does; plain data, so that it can be told before it is done. Missing parents are made. */
export type Step =
  /** There already with that kind: only its mode is set, and its owner, where one is said. */
  | {
      readonly kind: "make-directory";
      readonly path: string;
      readonly mode: number;
      readonly owner?: { readonly uid: number; readonly gid: number };
    }
  /** Replaced atomically. */
  | { readonly kind: "write-file"; readonly path: string; readonly text: string; readonly mode: number }
  /** A symlink; one that is there with another target is replaced. */
  | { readonly kind: "make-link"; readonly path: string; readonly target: string }
  | { readonly kind: "set-mode"; readonly path: string; readonly mode: number }
  /** The uppermost mount at the path; what is not mounted is no error. */
  | { readonly kind: "unmount"; readonly path: string }
  /** An empty directory; one that is not, or is a mount point, stays and is told. */
  | { readonly kind: "remove-directory"; readonly path: string }
  /** Into the quarantine directory, from where it can be put back. What is not there is no error. */
  | { readonly kind: "set-aside"; readonly path: string }
  /** Writes `path`, the `size` of a layer: bytes of its own files as its driver counts them. @see docker-data-root 2.5 */
  | { readonly kind: "measure-layer"; readonly path: string; readonly chainID: ChainID; readonly cacheID: string }
  /** Writes `repositories.json` with the names that the root itself tells, and those that sources do. */
  | { readonly kind: "restore-names"; readonly path: string; readonly names: readonly NameProof[] }
  /**
   * A writable layer's files as its driver begins them; those of an init layer (`ID-init`) are what a runtime mounts upon.
   * Only where there are none.
   */
  | { readonly kind: "begin-layer"; readonly id: string; readonly below?: string }
  /** The whole layer, or the files of it that differ, from wherever its very bytes can be had. */
  | { readonly kind: "restore-layer"; readonly chainID: ChainID }
  /** The config, likewise. */
  | { readonly kind: "restore-image"; readonly id: ImageID };
