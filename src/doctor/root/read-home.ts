import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { decodeName, encodeName, isErrno } from "../../spec/index.js";
import { namesIn, nodesIn, readFact } from "./fact.js";
import type { DriverName, LayerDirectory, Link } from "./root-state.js";

/** Where a driver has its layers' directories. */
export function homeOf(root: string, driver: DriverName): string {
  return driver === "vfs" ? join(root, "vfs", "dir") : join(root, driver);
}

export function* readDirectories(home: string, driver: DriverName): Generator<[string, LayerDirectory]> {
  for (const [name, node] of nodesIn(home)) {
    if (driver === "overlay2" && name === "l") continue;
    const path = join(home, name);
    if (driver === "vfs" || node.kind !== "directory") yield [name, { node, nodes: new Map(), left: [] }];
    else yield [name, { node, nodes: nodesIn(path), ...(driver === "overlay2" ? ofOverlay2(path) : ofOverlay(path)) }];
  }
}

/** Both of dockerd's extractors work in a directory inside of the layer. @see docker-data-root 9.5, 9.6 */
function leftIn(tree: string): string[] {
  return namesIn(tree).filter((name) => /^(\.pivot_root|temp-docker-extract)\d+$/.test(name));
}

function ofOverlay2(path: string): Omit<LayerDirectory, "node" | "nodes"> {
  const [link, lower] = [readFact(join(path, "link")), readFact(join(path, "lower"))];
  return { ...(link && { link }), ...(lower && { lower }), left: leftIn(join(path, "diff")) };
}

function ofOverlay(path: string): Omit<LayerDirectory, "node" | "nodes"> {
  const lowerID = readFact(join(path, "lower-id"));
  const left = [...leftIn(join(path, "root")), ...leftIn(join(path, "upper"))];
  return { ...(lowerID && { lowerID }), left };
}

/** `overlay2/l`. */
export function* readLinks(home: string): Generator<[string, Link]> {
  const dir = join(home, "l");
  for (const [name, node] of nodesIn(dir)) {
    const target = node.kind === "symlink" ? targetOf(join(dir, name)) : undefined;
    yield [name, { node, ...(target !== undefined && { target }) }];
  }
}

function targetOf(path: string): string | undefined {
  try {
    return decodeName(readlinkSync(encodeName(path), { encoding: "buffer" }));
  } catch (error) {
    if (isErrno(error, "ENOENT", "EINVAL")) return undefined;
    throw error;
  }
}

/** Whether a root has anything of a driver. */
export function hasData(root: string, driver: DriverName): boolean {
  return namesIn(homeOf(root, driver)).some((name) => name !== "l" && name !== "backingFsBlockDev");
}
