import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { decodeName, encodeName, isErrno } from "../../spec/index.js";
import { type Node, namesIn, nodesIn, readFact } from "./fact.js";
import { listed, type Pass } from "./readings.js";
import type { DriverName, LayerDirectory, Link } from "./root-state.js";

/** Where a driver has its layers' directories. */
export function homeOf(root: string, driver: DriverName): string {
  return driver === "vfs" ? join(root, "vfs", "dir") : join(root, driver);
}

/** What the files of a writable layer are in; in `vfs` that is its directory. */
export function writableTree(driver: DriverName): string {
  return { overlay2: "diff", overlay: "upper", vfs: "" }[driver];
}

/** @param pass only what tells who needs what is read */
export function* readDirectories(
  home: string,
  driver: DriverName,
  pass: Pass | undefined,
): Generator<[string, LayerDirectory]> {
  for (const [name, node] of listed(pass, home)) {
    if (driver === "overlay2" && name === "l") continue;
    const path = join(home, name);
    if (pass || node.kind !== "directory") yield [name, { node, nodes: new Map(), left: [], isEmpty: false }];
    else yield [name, directoryOf(driver, path, node)];
  }
}

function directoryOf(driver: DriverName, path: string, node: Node): LayerDirectory {
  const trees = { overlay2: ["diff"], overlay: ["root", "upper"], vfs: [""] }[driver];
  const facts = { overlay2: ofOverlay2, overlay: ofOverlay, vfs: () => ({}) }[driver](path);
  return {
    ...{ node, nodes: driver === "vfs" ? new Map() : nodesIn(path), ...facts },
    // A layer may have thousands of names, and few ask.
    get left() {
      return trees.flatMap((tree) => leftIn(join(path, tree)));
    },
    get isEmpty() {
      return namesIn(join(path, writableTree(driver))).length === 0;
    },
  };
}

/** Both of dockerd's extractors work in a directory inside of the layer. @see docker-data-root 9.5, 9.6 */
function leftIn(tree: string): string[] {
  return namesIn(tree).filter((name) => /^(\.pivot_root|temp-docker-extract)\d+$/.test(name));
}

function ofOverlay2(path: string): Pick<LayerDirectory, "link" | "lower"> {
  const [link, lower] = [readFact(join(path, "link")), readFact(join(path, "lower"))];
  return { ...(link && { link }), ...(lower && { lower }) };
}

function ofOverlay(path: string): Pick<LayerDirectory, "lowerID"> {
  const lowerID = readFact(join(path, "lower-id"));
  return lowerID ? { lowerID } : {};
}

/** `overlay2/l`: a symlink does not change, but is made anew. */
export function readLinks(home: string, pass: Pass | undefined): Iterable<[string, Link]> {
  const dir = join(home, "l");
  return pass ? pass.of(dir, () => [...linksIn(dir)]) : linksIn(dir);
}

function* linksIn(dir: string): Generator<[string, Link]> {
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
