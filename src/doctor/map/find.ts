import { isAbsolute, join, relative, resolve } from "node:path";
import type { MappedContainer, MappedDirectory, MappedImage, RootMap } from "./root-map.js";

/** What a word, a path or a line of `/proc/mounts` means: directories, the topmost first. */
export interface Found {
  /** Set where the word names one. */
  readonly image?: MappedImage;
  readonly container?: MappedContainer;
  readonly directories: readonly MappedDirectory[];
}

/**
 * Finds what is meant by the name or ID of a container or image, a path in the driver's home, in `layerdb` or in
 * `containers`, absolute or from the root on, the name of a directory or its beginning, or a line of `/proc/mounts`.
 *
 * @returns undefined: nothing that is known
 */
export function findIn(map: RootMap, text: string): Found | undefined {
  if (/\b(?:upperdir|lowerdir)\+?=/.test(text)) return mountLine(map, text);
  const container = one(
    map.Containers,
    text,
    ({ Id, Name }) => [Id, Name, `/${Name}`],
    ({ Id }) => Id,
  );
  if (container) return ofContainer(map, container);
  const image = imageNamed(map, text);
  if (image) return { image, directories: layersOf(map, image.Layers) };
  const directories = atPath(map, text) ?? named(map, text);
  return directories && { directories };
}

function ofContainer(map: RootMap, container: MappedContainer): Found {
  const own = container.Directories.flatMap((name) => map.Directories.filter((each) => each.Name === name));
  return { container, directories: [...own, ...stackOf(map, container.Layer)] };
}

function imageNamed({ Images }: RootMap, text: string): MappedImage | undefined {
  const plain = text.replace(/^(?:docker\.io\/)?(?:library\/)?/, "");
  const tagged = /[:@][^/]*$/.test(plain) ? plain : `${plain}:latest`;
  return (
    Images.find(({ Names }) => Names.includes(tagged)) ??
    one(
      Images,
      text.replace(/^sha256:/, ""),
      () => [],
      ({ Id }) => Id.replace(/^sha256:/, ""),
    )
  );
}

/** Top first. */
function layersOf({ Directories }: RootMap, chain: readonly string[]): MappedDirectory[] {
  return chain.toReversed().flatMap((chainID) => Directories.filter((each) => each.ChainID === chainID));
}

/** A layer and those below it, top first. */
function stackOf({ Directories }: RootMap, top: string | undefined): MappedDirectory[] {
  const stack: MappedDirectory[] = [];
  for (let at = top; at !== undefined; at = stack.at(-1)?.Parent) {
    const layer = Directories.find(({ ChainID }) => ChainID === at);
    if (!layer || stack.includes(layer)) break;
    stack.push(layer);
  }
  return stack;
}

/** By a whole name, or the beginning of an ID that no other has. */
function one<T>(
  all: readonly T[],
  text: string,
  names: (each: T) => readonly string[],
  idOf: (each: T) => string,
): T | undefined {
  const exact = all.find((each) => names(each).includes(text) || idOf(each) === text);
  if (exact || !/^[0-9a-f]{2,64}$/.test(text)) return exact;
  const [found, other] = all.filter((each) => idOf(each).startsWith(text));
  return other ? undefined : found;
}

function named({ Directories }: RootMap, text: string): MappedDirectory[] | undefined {
  const exact = Directories.filter(({ Name, Link }) => Name === text || Link === text);
  if (exact.length > 0) return exact;
  const begun = /^[0-9a-z]{6,}$/.test(text) ? Directories.filter(({ Name }) => Name.startsWith(text)) : [];
  return begun.length > 0 ? begun : undefined;
}

function atPath(map: RootMap, text: string): MappedDirectory[] | undefined {
  const tries = isAbsolute(text) ? [text] : [join(map.Root, text), join(homeOf(map), text), resolve(text)];
  for (const path of tries) {
    const found = below(map, path);
    if (found) return found;
  }
  return undefined;
}

function homeOf({ Root, Driver }: RootMap): string {
  return Driver === "vfs" ? join(Root, "vfs/dir") : join(Root, Driver);
}

function below(map: RootMap, path: string): MappedDirectory[] | undefined {
  const [first = "", second = ""] = partsOf(homeOf(map), path);
  if (first === "l") return unlessNone(map.Directories.filter(({ Link }) => Link === second));
  if (first !== "") return unlessNone(map.Directories.filter(({ Name }) => Name === first));
  const [kind, name] = partsOf(join(map.Root, "image", map.Driver, "layerdb"), path);
  if (kind === "sha256" && name) return unlessNone(layersOf(map, [`sha256:${name}`]));
  const [id] = kind === "mounts" && name ? [name] : partsOf(join(map.Root, "containers"), path);
  const container = map.Containers.find(({ Id }) => Id === id);
  return container && [...ofContainer(map, container).directories];
}

/** The names on the way from a directory to a path; none where the path leads elsewhere. */
function partsOf(from: string, path: string): string[] {
  const way = relative(from, path);
  return way === "" || way.startsWith("..") ? [] : way.split("/");
}

function unlessNone<T>(all: readonly T[]): T[] | undefined {
  return all.length > 0 ? [...all] : undefined;
}

/** `overlay /…/merged overlay rw,lowerdir=l/A:l/B,upperdir=/…/diff,workdir=… 0 0`; paths may be from the home on. */
function mountLine(map: RootMap, line: string): Found | undefined {
  const plain = line.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  const paths = [...plain.matchAll(/\b(upperdir|lowerdir)\+?=((?:\\.|[^,\s])*)/g)]
    .sort(([, a], [, b]) => (a === b ? 0 : a === "upperdir" ? -1 : 1))
    .flatMap(([, , value = ""]) => value.split(/(?<!\\):+/))
    .filter((path) => path !== "");
  const directories = [...new Set(paths.flatMap((path) => atPath(map, path) ?? []))];
  if (directories.length === 0) return undefined;
  const own = map.Containers.find((each) => each.Directories.includes(directories[0]?.Name ?? ""));
  return { ...(own && { container: own }), directories };
}
