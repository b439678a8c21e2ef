import type { ChainID, ImageID } from "../../spec/index.js";

/** Something about a data root that is not as it should be. */
export interface Finding {
  /** What is the matter, in one stable word for programs, as `link-missing`. @see docs/damage.md */
  readonly kind: string;
  /** `damage`: somebody misses something; `leftover`: nobody needs it; `oddity`: it does no harm. */
  readonly severity: "damage" | "leftover" | "oddity";
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
}

/** One thing that a repair does; plain data, so that it can be told before it is done. */
export type Step =
  | { readonly kind: "make-directory"; readonly path: string; readonly mode: number }
  /** Replaced atomically. */
  | { readonly kind: "write-file"; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly kind: "make-link"; readonly path: string; readonly target: string }
  | { readonly kind: "set-mode"; readonly path: string; readonly mode: number }
  | { readonly kind: "unmount"; readonly path: string }
  /** Into the quarantine directory, from where it can be put back. */
  | { readonly kind: "set-aside"; readonly path: string }
  /** The whole layer, or the files of it that differ, from wherever its very bytes can be had. */
  | { readonly kind: "restore-layer"; readonly chainID: ChainID }
  /** The config, likewise. */
  | { readonly kind: "restore-image"; readonly id: ImageID };
