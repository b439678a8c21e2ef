import { type Digest, type ImageID, InvalidParameter, imageIDOf } from "../../spec/index.js";
import { checkParents } from "../parents.js";
import { type Archive, checkCount, isObject, isTexts, quoted } from "./archive.js";
import { type ImagePlan, type LayerSource, planOf } from "./plan.js";
import { tagOf } from "./tag.js";

interface Item {
  readonly Config: string;
  readonly Layers: readonly string[];
  readonly RepoTags: readonly string[];
  readonly Parent: string | undefined;
}

/**
 * The images of a `docker save` archive, in the order of its `manifest.json`: the form of 20.10 (`ID/layer.tar`) and
 * that of 25 and later (`blobs/sha256/HEX`). `index.json` beside it is not looked at: 25.0 wrote wrong ones.
 *
 * @throws InvalidParameter
 */
export async function dockerPlans(archive: Archive): Promise<ImagePlan[]> {
  const items = itemsOf(await archive.json("manifest.json", "manifest"));
  checkCount(items.flatMap(({ RepoTags }) => RepoTags).length, "names");
  const plans: ImagePlan[] = [];
  for (const item of items) plans.push(await planFor(item, archive));
  checkParents(plans);
  return plans;
}

/** dockerd takes `null` for an empty list, and writes it so. */
function itemsOf(manifest: unknown): Item[] {
  if (manifest === null) return [];
  if (!Array.isArray(manifest)) throw new InvalidParameter("invalid archive: manifest.json is not a list of images");
  checkCount(manifest.length, "images");
  return manifest.map((value: unknown, at) => {
    const bad = (why: string) => new InvalidParameter(`invalid archive: image ${at} of manifest.json ${why}`);
    if (!isObject(value) || typeof value.Config !== "string") throw bad("names no config");
    const [Layers, RepoTags] = [value.Layers ?? [], value.RepoTags ?? []];
    if (!isTexts(Layers)) throw bad("has layers that are no file names");
    if (!isTexts(RepoTags)) throw bad("has tags that are no text");
    return {
      Config: value.Config,
      Layers,
      RepoTags,
      Parent: typeof value.Parent === "string" ? value.Parent : undefined,
    };
  });
}

async function planFor(item: Item, archive: Archive): Promise<ImagePlan> {
  const bytes = await archive.bytes(item.Config, "config");
  const promised = blobDigest(item.Config);
  if (promised && imageIDOf(bytes) !== promised) {
    throw new InvalidParameter(`invalid archive: config ${quoted(item.Config)} has digest ${imageIDOf(bytes)}`);
  }
  const layers = item.Layers.map((path, at) => layerFrom(archive, path, `layer ${at + 1} of ${item.Layers.length}`));
  const plan = planOf(bytes, layers, item.RepoTags.map(tagOf));
  return item.Parent ? { ...plan, parent: item.Parent as ImageID } : plan;
}

/** Its diff id says what must be in it, whatever the file is called and however it is packed. */
function layerFrom(archive: Archive, path: string, what: string): LayerSource {
  return { label: `${what} (${quoted(path)})`, find: () => archive.find(path, what) };
}

/** Of a path `blobs/sha256/HEX`, what the file must hash to. */
function blobDigest(path: string): Digest | undefined {
  const hex = /^(?:\.?\/)*blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
  return hex === undefined ? undefined : (`sha256:${hex}` as Digest);
}
