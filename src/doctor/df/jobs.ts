/** What measuring threads do; plain data. */
export interface WalkJob {
  readonly places: readonly Place[];
  readonly reflinks: boolean;
}

/** A path to be walked, and those below it that are not. Absolute. */
export interface Place {
  readonly path: string;
  readonly stops: readonly string[];
}
