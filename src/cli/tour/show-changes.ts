import { appendFile, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isWhiteout, statOf } from "./disk.js";
import { layerOf, short, shown, type Tour, type TourContainer } from "./state.js";

/** Section: a file that a layer brought. */
export async function showReading({ page, image }: Tour, { merged }: TourContainer, path: string): Promise<void> {
  page.section("Reading: a file comes from the highest layer that has it");
  const number = await layerOf(image.layers, path);
  page.text(`${page.styles.value(`/${path}`)} in the merged view is the file of layer ${number}. It is opened there; nothing
    is copied for it.`);
  page.gap();
  await showFirstLines(page, join(merged, path));
}

async function showFirstLines(page: Tour["page"], path: string): Promise<void> {
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  const rest = lines.length > 5 ? [page.styles.dim(`… ${lines.length - 5} more`)] : [];
  page.lines([...lines.slice(0, 5).map((line) => `| ${line.slice(0, 90)}`), ...rest]);
}

/** Section: a file that no layer has. */
export async function showNewFile(tour: Tour, container: TourContainer): Promise<void> {
  const { page } = tour;
  const path = await newPath(container.merged);
  await writeFile(join(container.merged, path), "A container wrote this.\n");
  page.section("Writing: a new file is the container's own");
  page.text(`/${path} was written in the merged view. It is now in the container's own directory, and in no layer:`);
  page.gap();
  const place = page.styles.added(shown(tour.engine, join(container.upper, path)));
  const rows = [["container", `${place}${await sizeOf(container.upper, path)}`]];
  for (const [i, layer] of tour.image.layers.entries()) {
    rows.push([`layer ${i + 1}`, (await statOf(join(layer.content, path))) ? "there" : "not there"]);
  }
  page.table(rows);
}

/** In `var`, unless the image has a symlink of that name, which could lead anywhere. */
async function newPath(merged: string): Promise<string> {
  const found = await statOf(join(merged, "var"));
  if (found === undefined) await mkdir(join(merged, "var"));
  return found === undefined || found.isDirectory() ? "var/new-file" : "new-file";
}

async function sizeOf(directory: string, path: string): Promise<string> {
  const stat = await statOf(join(directory, path));
  return stat ? `, ${stat.size} bytes` : ", not there";
}

/** Section: a file of a layer, written to. */
export async function showCopyUp(tour: Tour, container: TourContainer, path: string): Promise<void> {
  const { page, image } = tour;
  const number = await layerOf(image.layers, path);
  const lower = join(image.layers[number - 1]?.content ?? "", path);
  const vfs = tour.engine.driver.name === "vfs";
  const places = [
    ["merged view", join(container.merged, path)],
    ...(vfs ? [] : [["upper directory", join(container.upper, path)]]),
    [`layer ${number}`, lower],
  ] as [name: string, place: string][];
  const looked = () => Promise.all(places.map(async ([, place]) => inodeOf(place)));
  const before = await looked();
  await appendFile(join(container.merged, path), "A container added this line.\n");
  const after = await looked();
  page.section(vfs ? "Changing a file" : "Changing: copy-up");
  page.text(
    vfs
      ? `A line was added to /${path}. With vfs the container has had its own copy of every file since it was made.`
      : `A layer is never written to. Opening /${path} of layer ${number} for writing makes the kernel copy the whole
        file into the upper directory first, with its owner, mode and times; then one line was added to the copy.`,
  );
  page.gap();
  page.table([
    ["", "before", "after"].map(page.styles.dim),
    ...places.map(([name], i) => {
      const [was = "", is = ""] = [before[i], after[i]];
      return [name, was, was === is ? is : page.styles.changed(is)];
    }),
  ]);
}

async function inodeOf(path: string): Promise<string> {
  const stat = await statOf(path);
  return stat ? `inode ${stat.ino}, ${stat.size} bytes` : "not there";
}

/** Section: a file of a layer, deleted. */
export async function showDeletion(
  { engine, page, image }: Tour,
  container: TourContainer,
  path: string,
): Promise<void> {
  const number = await layerOf(image.layers, path);
  await unlink(join(container.merged, path));
  const vfs = engine.driver.name === "vfs";
  page.section(vfs ? "Deleting a file" : "Deleting: a whiteout");
  page.text(
    vfs
      ? `/${path} was deleted. With vfs it is gone from the container's copy, and nothing needs to mark it.`
      : `/${path} was deleted in the merged view. Layer ${number} still has it, so the upper directory must say that it
        is gone: by a character device with the numbers 0:0, which is no device at all but overlayfs's whiteout.`,
  );
  page.gap();
  const upper = await statOf(join(container.upper, path));
  const inUpper = upper && isWhiteout(upper) ? page.styles.gone("character device 0:0") : "not there";
  page.table([
    ["merged view", (await statOf(join(container.merged, path))) ? "there" : "not there"],
    ...(vfs ? [] : [["upper directory", inUpper]]),
    [`layer ${number}`, await inodeOf(join(image.layers[number - 1]?.content ?? "", path))],
  ]);
}

/** Section: what `docker diff` says. */
export async function showDiff({ engine, page }: Tour, { id }: TourContainer): Promise<void> {
  page.section("diff: what the container did");
  page.text(`The changes are read from the container's own directory (C changed, A added, D deleted). A directory is
    listed as changed when something in it is. What the -init layer brought is not the container's doing.`);
  page.gap();
  const letters = [page.styles.changed("C"), page.styles.added("A"), page.styles.gone("D")];
  page.lines((await engine.containers.changes(id)).map(({ Path, Kind }) => `${letters[Kind]} ${Path}`));
  page.gap();
  page.lines([page.styles.dim(`as "layerkit diff ${short(id)}" prints it, and "docker diff"`)]);
}
