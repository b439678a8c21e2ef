import { createReadStream } from "node:fs";
import type { Engine } from "../../engine/index.js";
import { type Chosen, choosePaths } from "./choose.js";
import { directoriesOf, walk } from "./disk.js";
import { dockerArchive } from "./docker-archive.js";
import { insideNamespace } from "./namespace.js";
import type { Page } from "./page.js";
import type { Place } from "./place.js";
import { sampleLayers, samplePaths } from "./sample.js";
import { showCopyUp, showDeletion, showDiff, showNewFile, showReading } from "./show-changes.js";
import { showCommit } from "./show-commit.js";
import { showContainer } from "./show-container.js";
import { showDirectories, showImage } from "./show-layers.js";
import { sampleCommands, showPrograms } from "./show-programs.js";
import { bytes, containerPlaces, plural, type Tour, type TourContainer, type TourImage, tourImage } from "./state.js";

/**
 * Walks the reader through an image and a container of it. All that is shown is read back from disk.
 *
 * @param archive a docker archive or OCI layout, a file; the sample image without it
 */
export async function walkThrough(place: Place, page: Page, archive: string | undefined, signal: AbortSignal) {
  const { engine } = place;
  page.title("layerkit tour: what an image is on disk, and what a container does to it");
  introduce(place, page);
  const image = await load(engine, page, archive, signal);
  const tour: Tour = { engine, page, signal, image };
  await showImage(tour);
  signal.throwIfAborted();
  await showDirectories(tour);
  signal.throwIfAborted();
  await showInContainer(tour, archive === undefined);
  page.section("The end");
  page.text(`Next: "layerkit load", "create", "diff", "commit" do the same with your own images; "layerkit serve" lets the
    docker command do it. The data root ${engine.root} is now unmounted and removed.`);
  page.gap();
}

function introduce({ engine, withoutOverlay }: Place, page: Page): void {
  const { value } = page.styles;
  page.text(`Data root: ${value(engine.root)}, made for this tour and removed at its end. Driver: ${value(engine.driver.name)}.
    Paths are shown relative to the data root, ids by their first 12 digits.`);
  if (insideNamespace()) {
    page.text(`You are not root: this runs again inside a user namespace and a mount namespace of its own, where you may
      mount overlayfs. Its marks are then kept as user.overlay.* attributes instead of trusted.overlay.*.`);
  }
  if (withoutOverlay !== undefined) {
    page.text(`overlay2 does not work here: ${withoutOverlay}. The tour uses vfs. What is lost: every layer and every
      container is a whole copy, so nothing is shared, on disk or in memory, and making a container takes as long as
      copying the image; whiteouts and opaque directories are carried out, not seen.`);
  }
}

async function load(engine: Engine, page: Page, archive: string | undefined, signal: AbortSignal): Promise<TourImage> {
  const loaded: string[] = [];
  const source = archive === undefined ? sampleArchive(page) : createReadStream(archive);
  for await (const { stream = "" } of engine.images.load(source, { quiet: true, signal })) {
    const name = /^Loaded image(?: ID)?: (.*)$/m.exec(stream)?.[1];
    if (name !== undefined) loaded.push(name);
  }
  const [first] = loaded;
  if (first === undefined) throw new Error(`${archive ?? "the sample"} holds no image`);
  if (loaded.length > 1) page.text(`The archive holds ${plural(loaded.length, "image")}; this is about the first.`);
  return tourImage(engine, first);
}

async function* sampleArchive(page: Page): AsyncGenerator<Uint8Array> {
  const archive = await dockerArchive(await sampleLayers(), "layerkit/tour:sample");
  page.text(`The image was made just now, of programs of this machine and the libraries they need: a docker archive of
    ${bytes(archive.length)}, loaded as "docker load" would.`);
  yield archive;
}

async function showInContainer(tour: Tour, isSample: boolean): Promise<void> {
  const { engine, image, signal } = tour;
  const { Id } = await engine.containers.create({ Image: image.name, Cmd: ["/bin/sh"] }, { name: "tour", signal });
  const places = await containerPlaces(engine, Id);
  await using mounted = await engine.containers.mount(Id);
  const container: TourContainer = { id: Id, merged: mounted.path, ...places };
  const chosen = isSample ? samplePaths : await choosePaths(container.merged, await initPaths(tour, container));
  for (const show of [showContainer, ...changing(chosen), showDiff, showCommit]) {
    await show(tour, container);
    signal.throwIfAborted();
  }
  await showPrograms(tour, container, isSample ? sampleCommands : []);
}

type Show = (tour: Tour, container: TourContainer) => Promise<void>;

function changing({ read, changed, deleted }: Chosen): Show[] {
  const on = (path: string | undefined, show: (tour: Tour, container: TourContainer, path: string) => Promise<void>) =>
    path === undefined ? [] : [(tour: Tour, container: TourContainer) => show(tour, container, path)];
  return [...on(read, showReading), showNewFile, ...on(changed, showCopyUp), ...on(deleted, showDeletion)];
}

/** What the -init layer brings is not the image's. */
async function initPaths({ engine }: Tour, { initID }: TourContainer): Promise<Set<string>> {
  const paths = new Set<string>();
  if (engine.driver.name === "vfs") return paths;
  for await (const { path } of walk(directoriesOf(engine, initID).content)) paths.add(path);
  return paths;
}
