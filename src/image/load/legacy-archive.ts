import { chainID, type DiffID, type ImageID, InvalidParameter, type Reference, Undo } from "../../spec/index.js";
import { addImage } from "../add-image.js";
import { type Archive, checkCount, isObject, quoted } from "./archive.js";
import type { Intake } from "./intake.js";
import { checkOS } from "./plan.js";
import { tagOf } from "./tag.js";
import { takeLayers } from "./take-layers.js";
import type { LoadTargets } from "./targets.js";
import type { Telling } from "./telling.js";
import { configFromV1, stepFromV1, type V1Image, v1ImageIn } from "./v1-image.js";

/** An image of the oldest form, its layer unpacked. */
interface Unpacked {
  readonly config: Buffer;
  readonly diffIDs: readonly [DiffID, ...DiffID[]];
  readonly history: readonly object[];
  readonly parent?: string;
}

/**
 * Loads an archive of the oldest form: each directory `ID` has a `json` that names a parent, and a `layer.tar`; the
 * file `repositories` says which ids have names. Every id becomes an image, as with dockerd: those below are the
 * parents of those above. All layers are unpacked before the first image appears.
 *
 * @see moby 20.10, image/tarexport/load.go, "legacyLoad"
 */
export async function loadLegacy(
  archive: Archive,
  targets: LoadTargets,
  loading: Telling & { readonly intake: Intake },
): Promise<void> {
  const { tell, signal } = loading;
  const found = await v1Images(archive);
  const names = await namesIn(archive, found);
  await using held = new Undo();
  const unpacked = new Map<string, Unpacked>();
  for (const id of parentsFirst(found)) {
    const { parent, ...image } = found.get(id)!;
    const below = parent === undefined ? undefined : unpacked.get(parent)!;
    unpacked.set(id, await unpack(id, image, parent, below));
  }
  const ids = new Map<string, ImageID>();
  for (const [id, { config, parent }] of unpacked) {
    const parentID = parent === undefined ? undefined : ids.get(parent);
    const tags = names.get(id) ?? [];
    const { image, moved } = await addImage(targets, { config, tags, ...(parentID && { parent: parentID }) });
    ids.set(id, image.id);
    for (const { ref, from } of moved) tell({ kind: "moved", ref, from });
    if (tags.length > 0) tell({ kind: "loaded", id: image.id, refs: tags });
  }

  async function unpack(id: string, image: V1Image, parent: string | undefined, below?: Unpacked): Promise<Unpacked> {
    signal.throwIfAborted();
    const path = `${id}/layer.tar`;
    const source = { label: `layer ${quoted(path)}`, find: () => archive.find(path, `layer of ${quoted(id)}`) };
    const taking = { ...loading, targets, held };
    const [layer] = await takeLayers(taking, [{ source, id: id.slice(0, 12) }], below && chainID(below.diffIDs));
    const diffIDs = [...(below?.diffIDs ?? []), layer!.diffID] as unknown as [DiffID, ...DiffID[]];
    const history = [...(below?.history ?? []), stepFromV1(image)];
    return { config: configFromV1(image, diffIDs, history), diffIDs, history, ...(parent !== undefined && { parent }) };
  }
}

async function v1Images(archive: Archive): Promise<Map<string, V1Image>> {
  const found = new Map<string, V1Image>();
  for (const id of archive.directories().filter((dir) => archive.has(`${dir}/json`))) {
    const image = v1ImageIn(await archive.json(`${id}/json`, "image"), `${id}/json`);
    checkOS(image.os);
    found.set(id, image);
  }
  return found;
}

/** Ids in an order in which each comes after its parent. */
function parentsFirst(found: ReadonlyMap<string, V1Image>): string[] {
  const order = new Set<string>();
  for (const id of found.keys()) {
    const line: string[] = [];
    for (let at: string | undefined = id; at !== undefined && !order.has(at); at = found.get(at)?.parent) {
      if (!found.has(at))
        throw new InvalidParameter(`invalid archive: parent image ${quoted(at)} is not in the archive`);
      if (line.length > found.size)
        throw new InvalidParameter(`invalid archive: image ${quoted(id)} is its own parent`);
      line.push(at);
    }
    for (const each of line.reverse()) order.add(each);
  }
  return [...order];
}

/** By id, the names that the file `repositories` gives. */
async function namesIn(archive: Archive, found: ReadonlyMap<string, V1Image>): Promise<Map<string, Reference[]>> {
  const repositories = await archive.json("repositories", "file");
  if (!isObject(repositories)) throw new InvalidParameter("invalid archive: repositories is not a JSON object");
  const given = Object.entries(repositories).flatMap(([name, tags]) => {
    if (!isObject(tags)) throw new InvalidParameter(`invalid archive: repository ${quoted(name)} has no tags`);
    return Object.entries(tags).map(([tag, id]) => ({ text: `${name}:${tag}`, id }));
  });
  checkCount(given.length, "names");
  const names = new Map<string, Reference[]>([...found.keys()].map((id) => [id, []]));
  for (const { text, id } of given) {
    const own = names.get(String(id));
    if (!own) throw new InvalidParameter(`invalid target ID: ${String(id)}`);
    own.push(tagOf(text));
  }
  return names;
}
