import type { ChainID } from "../../spec/index.js";
import type { Progress } from "../progress.js";
import type { RootState } from "../root/root-state.js";
import type { Quarantine } from "./quarantine.js";
import type { Source } from "./sources/source.js";
import type { Staging } from "./staging.js";

/** What a restoration works with. */
export interface Restoring {
  /** As it is now. */
  readonly state: RootState;
  /** Asked in this order. */
  readonly sources: readonly Source[];
  readonly quarantine: Quarantine;
  readonly staging: () => Promise<Staging>;
  /** Whether the layers below one are known to be right, to the last byte. */
  readonly isRightBelow: (chainID: ChainID) => boolean;
  readonly onProgress: (progress: Progress) => void;
  readonly signal?: AbortSignal | undefined;
}
