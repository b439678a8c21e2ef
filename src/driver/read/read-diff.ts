import type { SyncChange } from "../../overlayfs/index.js";
import { NotImplemented, type Path } from "../../spec/index.js";
import type { DiffSource } from "../driver.js";

/** The changes of an opened diff, as `Driver.diff` gives them, without waiting: for worker threads. */
export function readDiff(
  _source: DiffSource,
  _onSkip?: (path: Path, why: string) => void,
): Generator<SyncChange, void, undefined> {
  throw new NotImplemented("readDiff");
}
