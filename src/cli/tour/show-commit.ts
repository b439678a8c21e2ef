import { census } from "./disk.js";
import { bytes, plural, short, shown, type Tour, type TourContainer, tourImage } from "./state.js";

/** Section: the container's directory becomes a layer. */
export async function showCommit({ engine, page, image, signal }: Tour, { id }: TourContainer): Promise<void> {
  const { Id } = await engine.containers.commit(id, {
    repo: "layerkit/tour",
    tag: "committed",
    comment: "tour",
    signal,
  });
  const made = await tourImage(engine, Id);
  const top = made.layers.at(-1);
  const ordinal = made.layers.length;
  page.section(`commit: layer ${ordinal}`);
  page.text(`commit packs the container's own directory into a tar archive, whiteouts as ".wh." files, and registers it
    as a layer upon the image's others${engine.driver.name === "vfs" ? "" : ", which are shared as they are: nothing of them was copied or read"}.`);
  page.gap();
  if (top === undefined) return;
  const { styles } = page;
  const found = await census(top.content);
  page.lines([`${styles.bold(`layer ${ordinal}`)}  ${shown(engine, top.home)}/`]);
  page.table([
    ["  diff id", styles.value(short(top.diffID))],
    ["  chain id", styles.value(short(top.chainID))],
    [
      "  content",
      `${plural(found.files, "file")}, ${plural(found.directories, "directory", "directories")}, ${bytes(found.bytes)}`,
    ],
    ...found.whiteouts.map((path) => ["  whiteout", styles.gone(path)]),
  ]);
  page.gap();
  const shared = made.layers.filter(({ cacheID }) => image.layers.some((each) => each.cacheID === cacheID)).length;
  page.lines([
    `new image  ${Id}`,
    `           ${plural(ordinal, "layer")}, ${shared} of them the same directories as before`,
  ]);
}
