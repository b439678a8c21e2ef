import type { Meta } from "../../overlayfs/index.js";
import type { Path } from "../../spec/index.js";
import type { Stat } from "../../sys/index.js";

/** How whiteouts and opaque markers are carried out. Directories are given as descriptors, O_PATH or other. */
export interface Hiding {
  /** Told of each path that the layer puts something at. */
  wrote(path: Path): void;
  /** Whether what is at `path` is this layer's. */
  owns(path: Path): boolean;
  /** Whether `stat`, found at `path`, gives way to a directory that the layer needs there but does not name. */
  givesWay(path: Path, stat: Stat): boolean;
  /** @throws InvalidParameter: the layer itself has put something there */
  whiteout(dir: number, name: string, path: Path, meta?: Meta): void;
  /** `directory` is `path` itself. */
  opaque(directory: number, path: Path): void;
}
