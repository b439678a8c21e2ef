import { readFile, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { directoriesOf, textOf, walk } from "./disk.js";
import { short, shown, type Tour, type TourContainer } from "./state.js";

/** Section: the directories a container adds, and its mount. */
export async function showContainer(tour: Tour, container: TourContainer): Promise<void> {
  const { engine, page } = tour;
  page.section("A container is one more directory on top");
  const vfs = engine.driver.name === "vfs";
  page.text(`Container ${page.styles.value(short(container.id))} got two directories: its own, ${vfs ? "a whole copy" : "which is empty"},
    and below it an "-init" layer with what a runtime will mount things upon. image/${engine.driver.name}/layerdb/mounts/
    names both.`);
  page.gap();
  const places = ["mount-id", "init-id", "parent"] as const;
  const entry = join(engine.root, "image", engine.driver.name, "layerdb/mounts", container.id);
  const rows = await Promise.all(places.map(async (name) => [name, short((await textOf(join(entry, name))) ?? "")]));
  page.table(rows);
  if (vfs) return page.text("With vfs there is nothing to mount: the container's directory is all that it sees.");
  page.gap();
  await showInit(tour, container);
  await showMount(tour, container);
}

async function showInit({ engine, page }: Tour, { initID }: TourContainer): Promise<void> {
  const { content } = directoriesOf(engine, initID);
  page.lines([`The -init layer holds what the image itself lacks of these:`]);
  const rows: string[][] = [];
  for await (const { path, stat } of walk(content)) {
    const kind = stat.isSymbolicLink() ? `symlink to ${await readlink(join(content, path))}` : kindOf(stat);
    rows.push([`  /${path}`, kind]);
  }
  page.table(rows);
}

function kindOf(stat: { isDirectory(): boolean; size: number }): string {
  return stat.isDirectory() ? "directory" : `file, ${stat.size} bytes`;
}

async function showMount({ engine, page, image }: Tour, container: TourContainer): Promise<void> {
  const { styles } = page;
  const line = await mountLine(container.merged);
  if (line === undefined) throw new Error(`${container.merged} is not in /proc/self/mounts`);
  page.text(`The kernel's OverlayFS shows all of them as one tree, the merged view. This is its line in /proc/mounts, one
    option a row. What is on top hides what is below it; the upper directory alone is written to:`);
  page.gap();
  const [source = "", target = "", type = "", options = ""] = line.split(" ");
  page.lines([`${source} on ${shown(engine, target)} type ${type}`]);
  const rows: string[][] = [];
  for (const { key, value } of mountOptions(options)) {
    const name = await layerName(engine.root, image, container, value);
    rows.push([`  ${key}`, value.startsWith("/") ? shown(engine, value) : value, styles.dim(name)]);
  }
  page.table(rows);
}

/** The line of the mount table for a mount point. */
async function mountLine(target: string): Promise<string | undefined> {
  const lines = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  return lines.findLast((line) => line.split(" ")[1] === target);
}

/** Each lower directory is a row of its own. */
function mountOptions(text: string): { key: string; value: string }[] {
  return text.split(",").flatMap((option) => {
    const equals = option.indexOf("=");
    if (equals < 0) return [{ key: option, value: "" }];
    const [key, values] = [option.slice(0, equals), option.slice(equals + 1).split(":")];
    return values.filter(Boolean).map((value, i) => ({ key: i === 0 ? key : "", value }));
  });
}

/** What a directory in the mount options is in this walk-through. */
async function layerName(root: string, image: Tour["image"], container: TourContainer, path: string): Promise<string> {
  if (!path.includes("/")) return "";
  const inLinks = /(^|\/)l\/[A-Z2-7]{26}$/.test(path);
  const real = inLinks ? await readlink(join(root, "overlay2/l", basename(path))) : path;
  if (real.includes(`${container.initID}/`)) return "the -init layer";
  if (real.includes(`${container.upperID}/`)) return real.endsWith("/diff") ? "the container's own, written to" : "";
  const number = image.layers.findIndex(({ cacheID }) => real.includes(cacheID)) + 1;
  return number > 0 ? `layer ${number}` : "";
}
