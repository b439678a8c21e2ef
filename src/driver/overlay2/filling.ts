import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { removeTree } from "../../disk/index.js";
import { type CacheID, Conflict, decodeName, NotFound, shortID } from "../../spec/index.js";
import { lgetxattr, lremovexattr } from "../../sys/index.js";
import type { Filling, WriteTarget } from "../driver.js";
import type { LayerUses } from "../layer-uses.js";
import { openWriter } from "../write/open-writer.js";
import type { Home } from "./home.js";

/**
 * Opens a layer's own directory for writing; left without commit, it is empty again.
 *
 * @param onOpaque called before the content belongs to the layer, if it hides all that is below its root
 */
export async function fillLayer(
  home: Home,
  id: CacheID,
  { uses, userxattr, onOpaque }: { uses: LayerUses; userxattr: boolean; onOpaque: () => Promise<void> },
): Promise<Filling> {
  const diff = home.file(id, "diff");
  if (!(await home.has(id))) throw new NotFound(`there is no layer ${shortID(id)}`);
  if ((await readdir(diff)).length > 0) throw new Conflict(`layer ${shortID(id)} has content already`);
  const release = uses.claim(id);
  const target = targetIn(diff, userxattr);
  let open = true;
  return {
    target,
    commit: async () => {
      if (takeOpaqueMark(target)) await onOpaque();
      open = false;
      release();
      return diff;
    },
    [Symbol.asyncDispose]: async () => {
      if (!open) return;
      open = false;
      try {
        await empty(diff, `${target.xattrPrefix}opaque`);
      } finally {
        release();
      }
    },
  };
}

function targetIn(root: string, userxattr: boolean): WriteTarget {
  return {
    root,
    base: "",
    whiteouts: "overlay",
    xattrPrefix: userxattr ? "user.overlay." : "trusted.overlay.",
    impliedMode: 0o755,
    rootMeta: false,
    lenient: userxattr,
  };
}

/** Takes the mark from the layer's root. @returns whether there was one */
function takeOpaqueMark({ root, xattrPrefix }: WriteTarget): boolean {
  const mark = `${xattrPrefix}opaque`;
  if (lgetxattr(root, mark) === undefined) return false;
  lremovexattr(root, mark);
  return true;
}

/**
 * Overlayfs takes no notice of an opaque mark on the root of a layer: each name that it hides gets a whiteout of its
 * own instead, each of the layer's own directories a mark.
 */
export async function hideBelowRoot(home: Home, id: CacheID, uses: LayerUses, userxattr: boolean): Promise<void> {
  const target = targetIn(home.file(id, "diff"), userxattr);
  const own = new Map((await entries(target.root)).map((entry) => [decodeName(entry.name), entry.isDirectory()]));
  const lowers = await home.lowerDirs(id);
  for (const lower of lowers) uses.assertNotClaimed(basename(dirname(lower)));
  const below = (await Promise.all(lowers.map(entries))).flat();
  const writer = openWriter(target);
  try {
    for (const path of new Set(below.map(({ name }) => decodeName(name)))) {
      const isDirectory = own.get(path);
      if (isDirectory === undefined) writer.change({ kind: "whiteout", path });
      else if (isDirectory) writer.change({ kind: "opaque", path });
    }
    writer.finish();
  } finally {
    writer[Symbol.dispose]();
  }
}

/** The directory itself stays: on a full disk there may be no space to make another. */
async function empty(diff: string, mark: string): Promise<void> {
  for (const { name } of await entries(diff)) await removeTree(join(diff, decodeName(name)));
  if (lgetxattr(diff, mark) !== undefined) lremovexattr(diff, mark);
}

function entries(dir: string): Promise<Dirent<Buffer>[]> {
  return readdir(dir, { withFileTypes: true, encoding: "buffer" });
}
