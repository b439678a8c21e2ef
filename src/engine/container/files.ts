import { type Mounted, ownersAreLimited, type WriteTarget } from "../../driver/index.js";
import { Forbidden, InvalidParameter, NotFound, Undo } from "../../spec/index.js";
import { S } from "../../sys/index.js";
import type { PathStat } from "../api-container.js";
import type { ExtractOptions } from "../containers.js";
import { type AskedPath, parsePath, Root } from "../copy/container-path.js";
import { userIDs } from "../copy/container-user.js";
import { ownedStream } from "../copy/owned-stream.js";
import { pathStat, statAt } from "../copy/path-stat.js";
import type { AbortOption } from "../images.js";
import { type ContainerParts, emitContainer } from "./container-parts.js";
import type { Container } from "./container-store.js";

/** @see Containers.stat */
export async function statInContainer(parts: ContainerParts, name: string, path: string): Promise<PathStat> {
  const asked = checkedPath(path);
  return parts.turns.shared(parts.store.find(name).stored.ID, async () => {
    await using tree = await openTree(parts, parts.store.find(name));
    using root = new Root(tree.path);
    return pathStat(root, asked, () => missing(path, name));
  });
}

/** @see Containers.archive */
export async function archiveOfContainer(
  parts: ContainerParts,
  name: string,
  path: string,
  { signal }: AbortOption = {},
): Promise<{ stat: PathStat; body: AsyncIterable<Uint8Array> }> {
  const asked = checkedPath(path);
  const container = parts.store.find(name);
  await using undo = new Undo();
  const tree = await openTree(parts, container);
  undo.defer(() => tree[Symbol.asyncDispose]());
  using root = new Root(tree.path);
  const stat = pathStat(root, asked, () => missing(path, name));
  const job = { kind: "tar", root: tree.path, base: root.resolve(asked), as: asked.base } as const;
  const tar = parts.threads.tar(job, { label: `${path} of container ${name}`, signal });
  undo.done();
  emitContainer(parts, container, "archive-path");
  return { stat, body: ownedStream(tar, tree, signal) };
}

/** @see Containers.extract */
export async function extractIntoContainer(
  parts: ContainerParts,
  name: string,
  path: string,
  tar: AsyncIterable<Uint8Array>,
  { noOverwriteDirNonDir = false, copyUIDGID = false, signal }: ExtractOptions = {},
): Promise<void> {
  const asked = checkedPath(path);
  const { ID: id } = parts.store.find(name).stored;
  await parts.turns.shared(id, async () => {
    const container = parts.store.find(id);
    await using tree = await openTree(parts, container);
    using root = new Root(tree.path);
    const base = placeToExtract(root, container, asked, () => missing(path, name));
    const user = container.stored.Config.User;
    const target: WriteTarget = {
      ...{ root: tree.path, base, whiteouts: "none", xattrPrefix: "trusted.overlay.", impliedMode: 0o755 },
      ...{ rootMeta: false, lenient: ownersAreLimited(), noOverwriteDirNonDir },
      ...(copyUIDGID && user && { owner: userIDs(root, user) }),
    };
    await parts.threads.extract({ kind: "extract", target }, tar, { label: "Error processing tar file", signal });
    emitContainer(parts, container, "extract-to-dir");
  });
}

/** @see Containers.export */
export async function exportContainer(parts: ContainerParts, name: string, { signal }: AbortOption = {}) {
  const container = parts.store.find(name);
  const { ID: id } = container.stored;
  const mounted = await parts.layers.rw.mount(id);
  const tar = parts.threads.tar({ kind: "tar", root: mounted.path, base: "" }, { label: `container ${id}`, signal });
  emitContainer(parts, container, "export");
  return ownedStream(tar, mounted, signal);
}

/** The container's tree with its volumes in it. */
async function openTree({ layers, binds }: ContainerParts, { stored }: Container): Promise<Mounted> {
  await using failed = new Undo();
  const mounted = await layers.rw.mount(stored.ID);
  failed.defer(() => mounted[Symbol.asyncDispose]());
  const shown = await binds.show(stored, mounted.path);
  failed.done();
  return {
    path: mounted.path,
    async [Symbol.asyncDispose]() {
      await using last = new Undo();
      last.defer(() => mounted[Symbol.asyncDispose]());
      await shown[Symbol.asyncDispose]();
    },
  };
}

/** @throws NotFound; InvalidParameter: no directory; Forbidden: not to be written to */
function placeToExtract(root: Root, { stored, host }: Container, asked: AskedPath, notFound: () => NotFound): string {
  const path = root.follow(asked.absolute);
  if ((statAt(root, path.slice(1), notFound).mode & S.IFMT) !== S.IFDIR) {
    throw new InvalidParameter("extraction point is not a directory");
  }
  const mounts = Object.values(stored.MountPoints).filter(({ Type }) => Type !== "tmpfs");
  const inside = mounts.filter(({ Destination: at }) => path === at || path.startsWith(`${at}/`));
  const mount = inside.sort((a, b) => b.Destination.length - a.Destination.length)[0];
  if (mount && !mount.RW) throw new Forbidden("mounted volume is marked read-only");
  if (!mount && host.ReadonlyRootfs) throw new Forbidden("container rootfs is marked read-only");
  return path.slice(1);
}

function checkedPath(path: string): AskedPath {
  if (path === "") throw new InvalidParameter("bad parameter: path cannot be empty");
  if (path.includes("\0")) throw new InvalidParameter("bad parameter: path has a NUL in it");
  return parsePath(path);
}

function missing(path: string, name: string): NotFound {
  return new NotFound(`Could not find the file ${path} in container ${name}`);
}
