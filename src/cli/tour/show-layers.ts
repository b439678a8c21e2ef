import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { lgetxattr } from "../../sys/index.js";
import { census, statOf, textOf, walk } from "./disk.js";
import { bytes, plural, short, shown, type Tour } from "./state.js";

/** Section: the image as its config names it. */
export async function showImage(tour: Tour): Promise<void> {
  const { page, image } = tour;
  const { styles } = page;
  page.section("An image is a list of layers");
  page.text(`${styles.bold(image.name)} has ${plural(image.layers.length, "layer")}, ${bytes(image.size)} in all. Each
    layer is a tar archive, and the sha256 of its bytes is its diff id. The image's own id is the sha256 of its config,
    which lists the diff ids from the bottom up:`);
  page.gap();
  const makers = await layerMakers(tour);
  page.table([
    ["layer", "diff id", ...(makers.length > 0 ? ["made by"] : [])].map(styles.dim),
    ...image.layers.map(({ diffID }, i) => [
      String(i + 1),
      styles.value(short(diffID)),
      (makers[i] ?? "").slice(0, 64),
    ]),
  ]);
  page.gap();
  page.lines([`image id  ${image.id}`]);
}

/** What made each layer, bottom first; empty when history does not tell which of its steps made one. */
async function layerMakers({ engine, image }: Tour): Promise<string[]> {
  const steps = (await engine.images.history(image.name)).reverse();
  const withLayer = steps.length === image.layers.length ? steps : steps.filter(({ Size }) => Size > 0);
  return withLayer.length === image.layers.length ? withLayer.map(({ CreatedBy }) => CreatedBy) : [];
}

/** Section: the directories those layers became. */
export async function showDirectories(tour: Tour): Promise<void> {
  const { engine, page, image } = tour;
  const home = `${engine.driver.name}/${engine.driver.name === "vfs" ? "dir/" : ""}`;
  page.section("Each layer is a directory");
  page.text(`The ${engine.driver.name} driver unpacked every layer into a directory of its own under ${home}, named by a
    random cache id. image/${engine.driver.name}/layerdb/ remembers which layer is where; its entries are named by chain
    id, which stands for a layer together with all below it.`);
  for (const [i, layer] of image.layers.entries()) {
    page.gap();
    await showLayer(tour, i + 1, layer);
  }
  if (engine.driver.name === "overlay2") await showLinks(tour);
}

async function showLayer({ engine, page }: Tour, number: number, layer: Tour["image"]["layers"][number]) {
  const { styles } = page;
  const found = await census(layer.content);
  const counted = [plural(found.files, "file"), plural(found.directories, "directory", "directories")];
  if (found.symlinks > 0) counted.push(plural(found.symlinks, "symlink"));
  page.lines([`${styles.bold(`layer ${number}`)}  ${shown(engine, layer.home)}/`]);
  const rows = [["chain id", styles.value(short(layer.chainID))]];
  rows.push(["content", `${counted.join(", ")}, ${bytes(found.bytes)}`]);
  for (const path of found.whiteouts.slice(0, 5)) {
    rows.push(["whiteout", `${styles.gone(path)}: a character device 0:0, hides that name in the layers below`]);
  }
  for (const path of await opaqueDirectories(layer.content)) {
    rows.push(["opaque", `${styles.gone(path)}: xattr overlay.opaque=y, hides all the layers below have in it`]);
  }
  for (const name of ["link", "lower"]) {
    const text = await textOf(join(layer.home, name));
    if (text !== undefined) rows.push([name, styles.value(text.split(":").map(abbreviated).join(":"))]);
  }
  if (await statOf(join(layer.home, "committed")))
    rows.push(["committed", "an empty file: another layer was made on it"]);
  page.table(rows.map(([key = "", value = ""]) => [`  ${key}`, value]));
}

/** 26 random characters are more than a line of the page can repeat for each layer. */
function abbreviated(link: string): string {
  return link.replace(/^((?:l\/)?[A-Z2-7]{6})[A-Z2-7]{20}$/, "$1…");
}

async function opaqueDirectories(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, stat } of walk(directory)) {
    if (stat.isDirectory() && isOpaque(join(directory, path))) found.push(path);
  }
  return found.slice(0, 5);
}

/** overlayfs marks a directory so as root, and by the second name in a user namespace. */
function isOpaque(path: string): boolean {
  const names = ["trusted.overlay.opaque", "user.overlay.opaque"];
  return names.some((name) => Buffer.from(lgetxattr(path, name) ?? []).toString() === "y");
}

async function showLinks({ engine, page, image }: Tour): Promise<void> {
  page.text(`The short names in "link" and "lower" are symlinks in overlay2/l/: mount options have room for a page of
    text only, and a list of full paths would soon fill it. "lower" lists the layers below, the nearest first.`);
  page.gap();
  const directory = join(engine.root, "overlay2/l");
  const rows: string[][] = [];
  for (const name of (await readdir(directory)).sort()) {
    const target = await readlink(join(directory, name));
    const number = image.layers.findIndex(({ cacheID }) => target.includes(cacheID)) + 1;
    rows.push([name, "->", shown(engine, join(directory, target)), page.styles.dim(`layer ${number}`)]);
  }
  page.table(rows);
}
