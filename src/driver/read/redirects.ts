import { close, DT, fgetxattr, readDirectory } from "../../sys/index.js";
import { openDirectoryIn, openRoot } from "./directory.js";
import { paced } from "./paced.js";

/** Whether a directory below `root` has been renamed by overlayfs itself: its content lies under another name then. */
export async function hasRedirects(root: string, xattrPrefix: string): Promise<boolean> {
  for await (const fd of paced(directoriesBelow(openRoot(root)))) {
    if (fgetxattr(fd, `${xattrPrefix}redirect`) !== undefined) return true;
  }
  return false;
}

/** @param fd closed at the end @returns descriptors, each open until the next is asked for */
function* directoriesBelow(fd: number): Generator<number, void> {
  try {
    for (const { name, type } of readDirectory(fd)) {
      const inner = type === DT.DIR ? openDirectoryIn(fd, name) : undefined;
      if (inner === undefined) continue;
      yield inner;
      yield* directoriesBelow(inner);
    }
  } finally {
    close(fd);
  }
}
