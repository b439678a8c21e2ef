/** One thing to be freed. */
export interface Item {
  /**
   * `layer`, `writable`: with an entry of its own and directories; `directory`: without; `record`: of what is gone;
   * `temporary`: what is left of interrupted work.
   */
  readonly kind:
    | "container"
    | "image"
    | "volume"
    | "writable"
    | "layer"
    | "directory"
    | "link"
    | "record"
    | "temporary";
  /** For people and programs: an ID, a name or a path from the root on. */
  readonly name: string;
  /** Absolute paths of all that goes with it, which no other item has. */
  readonly paths: readonly string[];
  /** How it goes, in order: what names it first, so that a crash leaves what the next time is seen as unused. */
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly do: "move"; readonly from: string; readonly to: string }
  | { readonly do: "remove"; readonly path: string }
  /** Takes names of images out of `repositories.json`. */
  | { readonly do: "untag"; readonly names: readonly string[] };
