import { readdir, readFile, readlink } from "node:fs/promises";
import { basename, join } from "node:path";

/**
 * What lies in a data root that nothing refers to, or is missing that something refers to: one line each, none when
 * the root is whole. Reads the files alone, by Docker's formats, and none of our code.
 *
 * @see docker-data-root.md 2.1, 5.1, 7, 8.1
 */
export async function leftovers(root: string, driver: "overlay2" | "overlay" | "vfs" = "overlay2"): Promise<string[]> {
  const store = join(root, "image", driver);
  const layers = await layersOf(join(store, "layerdb/sha256"));
  const mounts = await mountsOf(join(store, "layerdb/mounts"));
  const home = driver === "vfs" ? join(root, "vfs/dir") : join(root, driver);
  const wanted = new Set([...layers.map(({ cacheID }) => cacheID), ...mounts.flatMap(({ ids }) => ids)]);
  const there = new Set((await names(home)).filter((name) => !["l", "backingFsBlockDev"].includes(name)));
  return [
    ...differences("a driver directory", wanted, there),
    ...(driver === "overlay2" ? await linkDifferences(home, there) : []),
    ...(driver === "overlay2" ? await lowerDifferences(home, layers) : []),
    ...(await imageDifferences(store, layers)),
    ...differences(
      "a container",
      new Set(await names(join(root, "containers"))),
      new Set(mounts.map(({ name }) => name)),
    ),
    ...(await names(join(store, "layerdb/tmp"))).map((name) => `left in layerdb/tmp: ${name}`),
    ...(await names(join(root, "tmp"))).map((name) => `left in tmp: ${name}`),
    ...(await temporaryFiles([root, store], [join(root, "containers"), join(store, "imagedb")])),
    ...(await mountedBelow(root)).map((path) => `left mounted: ${path}`),
  ];
}

interface LayerEntry {
  readonly name: string;
  readonly cacheID: string;
  readonly parent: string | undefined;
  readonly diffID: string;
}

async function layersOf(directory: string): Promise<LayerEntry[]> {
  return Promise.all(
    (await names(directory)).map(async (name) => ({
      name,
      cacheID: await text(join(directory, name, "cache-id")),
      parent: (await text(join(directory, name, "parent"))) || undefined,
      diffID: await text(join(directory, name, "diff")),
    })),
  );
}

async function mountsOf(directory: string) {
  return Promise.all(
    (await names(directory)).map(async (name) => {
      const ids = [await text(join(directory, name, "mount-id")), await text(join(directory, name, "init-id"))];
      return { name, ids: ids.filter(Boolean) };
    }),
  );
}

async function linkDifferences(home: string, ids: ReadonlySet<string>): Promise<string[]> {
  const links = await Promise.all([...ids].map((id) => text(join(home, id, "link"))));
  const there = await names(join(home, "l"));
  const targets = await Promise.all(there.map((name) => readlink(join(home, "l", name)).catch(() => "")));
  const astray = there.filter((_, i) => !ids.has(/^\.\.\/([^/]+)\/diff$/.exec(targets[i] ?? "")?.[1] ?? ""));
  return [
    ...differences("a link", new Set(links), new Set(there)),
    ...astray.map((name) => `link ${name} leads to no layer`),
  ];
}

/** `lower` of a layer is the link of its parent, and what is below that. */
async function lowerDifferences(home: string, layers: readonly LayerEntry[]): Promise<string[]> {
  const cacheIDs = new Map(layers.map(({ name, cacheID }) => [`sha256:${name}`, cacheID]));
  const wrong = layers.map(async ({ name, cacheID, parent }) => {
    const below = parent === undefined ? undefined : join(home, cacheIDs.get(parent) ?? "");
    const parts = below === undefined ? [] : [`l/${await text(join(below, "link"))}`, await text(join(below, "lower"))];
    const right = parts.filter(Boolean).join(":");
    return (await text(join(home, cacheID, "lower"))) === right ? [] : [`layer ${name} does not lie on its parent`];
  });
  return (await Promise.all(wrong)).flat();
}

/** Half-written files. */
async function temporaryFiles(flat: readonly string[], deep: readonly string[]): Promise<string[]> {
  const find = async (directory: string, recursive: boolean) =>
    (await readdir(directory, { recursive }).catch(() => []))
      .filter((path) => basename(path).startsWith(".tmp-"))
      .map((path) => `left half-written: ${join(directory, path)}`);
  return (
    await Promise.all([...flat.map((each) => find(each, false)), ...deep.map((each) => find(each, true))])
  ).flat();
}

/** Every image has its layers, and every layer belongs to an image or a container, by way of its children. */
async function imageDifferences(store: string, layers: readonly LayerEntry[]): Promise<string[]> {
  const images = await names(join(store, "imagedb/content/sha256"));
  const configs = await Promise.all(images.map((name) => text(join(store, "imagedb/content/sha256", name))));
  const wanted = new Set(configs.flatMap((config) => (JSON.parse(config) as Config).rootfs.diff_ids ?? []));
  const metadata = new Set(await names(join(store, "imagedb/metadata/sha256")));
  const strays = [...metadata].filter((name) => !images.includes(name));
  const tags = JSON.parse((await text(join(store, "repositories.json"))) || '{"Repositories":{}}') as Repositories;
  const tagged = Object.values(tags.Repositories).flatMap((names) => Object.values(names));
  return [
    ...differences("a layer", wanted, new Set(layers.map(({ diffID }) => diffID))),
    ...strays.map((name) => `left over: metadata of image ${name}`),
    ...tagged.filter((id) => !images.includes(id.slice(7))).map((id) => `a tag names ${id}, which is not there`),
    ...layers
      .filter(({ parent }) => parent && !layers.some(({ name }) => `sha256:${name}` === parent))
      .map(({ name }) => `layer ${name} has no parent`),
  ];
}

interface Config {
  readonly rootfs: { readonly diff_ids?: readonly string[] };
}

interface Repositories {
  readonly Repositories: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function differences(what: string, wanted: ReadonlySet<string>, there: ReadonlySet<string>): string[] {
  const missing = [...wanted].filter((name) => !there.has(name)).map((name) => `missing: ${what} ${name}`);
  return [...missing, ...[...there].filter((name) => !wanted.has(name)).map((name) => `left over: ${what} ${name}`)];
}

async function mountedBelow(root: string): Promise<string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  return mounts.filter((path) => path.startsWith(`${root}/`));
}

async function names(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

async function text(file: string): Promise<string> {
  return (await readFile(file, "utf8").catch(() => "")).trim();
}
