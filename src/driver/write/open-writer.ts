import { NotImplemented } from "../../spec/index.js";
import type { LayerWriter, WriteTarget } from "../driver.js";

/**
 * Opens a writer below `target.root`. The kernel keeps each step inside it (openat2 with RESOLVE_IN_ROOT), so that no
 * capability is needed; inside a `jail` it works on kernels without openat2 too.
 */
export function openWriter(_target: WriteTarget): LayerWriter {
  throw new NotImplemented("openWriter");
}
