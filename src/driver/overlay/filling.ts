import { rename } from "node:fs/promises";
import { removeTree } from "../../disk/index.js";
import type { CacheID } from "../../spec/index.js";
import { ownersAreLimited } from "../checks/user-namespace.js";
import type { Filling, Mounted, WriteTarget } from "../driver.js";
import { makeDirectory } from "../layer-files.js";
import { ifMissing } from "../layer-names.js";
import { type CreateParts, makeUpper } from "./create.js";

/** How a layer gets its content: the two ways that there are. @see docker-data-root 3.3 */
export type Content = Pick<Filling, "target" | "commit"> & {
  /** Nothing of it stays. */
  abandon(): Promise<void>;
};

/**
 * An image layer's tree, in a place of its own until it is whole: all files of the layer below are in it by further
 * names, and what the layer changes is made anew.
 *
 * @param below the image layer it is upon, complete
 */
export async function contentOfTree({ home, copier }: CreateParts, id: CacheID, below?: CacheID): Promise<Content> {
  const [tree, root] = [home.file(id, "tmproot"), home.file(id, "root")];
  const abandon = () => removeTree(tree);
  await abandon();
  await makeDirectory(tree, 0o755);
  if (below !== undefined) {
    await copier.link({ from: home.file(below, "root"), to: tree }).catch(async (error) => {
      await abandon();
      throw error;
    });
  }
  const commit = async () => {
    await rename(tree, root); // in place of the empty one of a layer over nothing
    await rename(home.file(id, "lower-id"), home.file(id, "parent")).catch(ifMissing);
    for (const name of ["upper", "work"] as const) await removeTree(home.file(id, name));
    return root;
  };
  return { target: { ...targetIn(tree), shared: true }, commit, abandon };
}

/** A layer upon a writable one becomes a writable one, too: it is written to as it will be seen. */
export async function contentOfUpper(
  parts: CreateParts,
  id: CacheID,
  { parent, merged }: { readonly parent: CacheID; readonly merged: Mounted },
): Promise<Content> {
  const end = () => merged[Symbol.asyncDispose]();
  const upper = parts.home.file(id, "upper");
  const abandon = async () => {
    await end();
    for (const name of ["upper", "work"] as const) await removeTree(parts.home.file(id, name));
    await makeUpper(parts, id, parent);
  };
  const commit = async () => {
    await end();
    return upper;
  };
  return { target: targetIn(merged.path), commit, abandon };
}

/** By the rules of Docker's drivers that compare trees, but for implied directories. @see docker-data-root 9.6 */
function targetIn(root: string): WriteTarget {
  const whiteouts = "remove";
  const lenient = ownersAreLimited();
  const sizes = "entries";
  return {
    root,
    base: "",
    whiteouts,
    xattrPrefix: "trusted.overlay.",
    impliedMode: 0o755,
    rootMeta: true,
    lenient,
    sizes,
  };
}
