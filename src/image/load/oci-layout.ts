import {
  type Descriptor,
  type Digest,
  DigestMismatch,
  familiarString,
  hexOf,
  InvalidParameter,
  mediaTypes,
  type Reference,
  sha256,
} from "../../spec/index.js";
import { type Archive, type ArchiveFile, checkCount, isObject, parseDocument, quoted } from "./archive.js";
import { descriptorIn, descriptorsIn } from "./descriptors.js";
import { type ImagePlan, type LayerSource, planOf } from "./plan.js";
import { forThisPlatform, platformText, thisPlatform } from "./platform.js";
import { nameIn } from "./ref-name.js";

const deepestIndex = 8;

/**
 * The images of an OCI image layout. Each descriptor of `index.json` is an image; one that is an index stands for its
 * manifest for this machine's platform. Descriptors with one name, or without any but with platforms, are a choice as
 * well. Every blob must have the digest and size its descriptor says; layers are checked when they are read.
 *
 * @throws InvalidParameter, DigestMismatch
 * @see OCI image-spec v1.1 image-layout.md
 */
export async function ociPlans(archive: Archive): Promise<ImagePlan[]> {
  await checkVersion(archive);
  const listed = descriptorsIn(await archive.json("index.json", "index"), "index.json").filter(isImage);
  if (listed.length === 0) throw new InvalidParameter("invalid archive: index.json names no image");
  checkCount(listed.length, "images");
  const plans = new Map<Digest, { readonly plan: ImagePlan; readonly tags: Map<string, Reference> }>();
  for (const choice of choicesOf(listed)) {
    const manifest = await resolved(archive, choice, "index.json", 0);
    const known = plans.get(manifest.digest) ?? { plan: await planFor(archive, manifest), tags: new Map() };
    plans.set(manifest.digest, known);
    for (const ref of choice.flatMap(nameIn)) known.tags.set(familiarString(ref), ref);
  }
  return [...plans.values()].map(({ plan, tags }) => ({ ...plan, tags: [...tags.values()] }));
}

async function checkVersion(archive: Archive): Promise<void> {
  const layout = await archive.json("oci-layout", "OCI layout file");
  const version = isObject(layout) ? layout.imageLayoutVersion : undefined;
  if (typeof version !== "string" || !version.startsWith("1.")) {
    throw new InvalidParameter(`invalid archive: OCI layout version ${JSON.stringify(version)}, want 1.x`);
  }
}

const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];

/** Attestations of a build and other things that are no image may stand in an index too. */
function isImage({ mediaType, annotations }: Descriptor): boolean {
  const attached = annotations?.["vnd.docker.reference.type"] !== undefined;
  return !attached && (manifestTypes.includes(mediaType) || indexTypes.includes(mediaType));
}

/** Descriptors of which one is to be taken. */
function choicesOf(listed: readonly Descriptor[]): Descriptor[][] {
  const choices = new Map<unknown, Descriptor[]>();
  for (const descriptor of listed) {
    const name = nameKey(descriptor) ?? (descriptor.platform ? "" : descriptor.digest);
    const choice = choices.get(name);
    if (choice) choice.push(descriptor);
    else choices.set(name, [descriptor]);
  }
  return [...choices.values()];
}

function nameKey({ annotations }: Descriptor): string | undefined {
  return annotations?.["io.containerd.image.name"] ?? annotations?.["org.opencontainers.image.ref.name"];
}

/** The manifest that one of `choice` is or leads to. A single one that is no index is taken for any platform. */
async function resolved(
  archive: Archive,
  choice: readonly Descriptor[],
  where: string,
  depth: number,
): Promise<Descriptor> {
  const [only, ...others] = choice;
  const chosen = only && others.length === 0 && depth === 0 ? only : forThisPlatform(choice);
  if (!chosen) {
    const offered = choice.map(({ platform }) => (platform ? platformText(platform) : "any")).join(", ");
    throw new InvalidParameter(
      `no image for ${platformText(thisPlatform)} in ${where}${offered && `: it has ${offered}`}`,
    );
  }
  if (manifestTypes.includes(chosen.mediaType)) return chosen;
  if (depth >= deepestIndex) throw new InvalidParameter(`invalid archive: indexes within indexes, ${depth} deep`);
  const name = `index ${chosen.digest}`;
  const index = parseDocument(await blob(archive, chosen, "index"), name);
  return resolved(archive, descriptorsIn(index, name).filter(isImage), name, depth + 1);
}

async function planFor(archive: Archive, descriptor: Descriptor): Promise<ImagePlan> {
  const name = `manifest ${descriptor.digest}`;
  const manifest = parseDocument(await blob(archive, descriptor, "manifest"), name);
  if (!isObject(manifest)) throw new InvalidParameter(`invalid archive: ${name} is not a JSON object`);
  const config = descriptorIn(manifest.config, `config of ${name}`);
  const layers = descriptorsIn(manifest, name, "layers");
  const sources = layers.map((layer, at) => layerFrom(archive, layer, `layer ${at + 1} of ${layers.length}`));
  return planOf(await blob(archive, config, "config"), sources, []);
}

function layerFrom(archive: Archive, layer: Descriptor, what: string): LayerSource {
  const label = `${what} (${layer.digest})`;
  if (!/[.+]tar(\b|[.+]|$)|layer\.v1/.test(layer.mediaType)) {
    throw new InvalidParameter(`${label} has media type ${quoted(layer.mediaType)}, which is no layer tar`);
  }
  return { label, find: () => findBlob(archive, layer, what), blob: layer };
}

function findBlob(archive: Archive, { digest, size }: Descriptor, what: string): ArchiveFile {
  const file = archive.find(`blobs/sha256/${hexOf(digest)}`, what);
  if (file.size !== size) {
    throw new InvalidParameter(
      `invalid archive: ${what} ${digest} has ${file.size} bytes, its descriptor says ${size}`,
    );
  }
  return file;
}

/** A small blob, verified. */
async function blob(archive: Archive, descriptor: Descriptor, what: string): Promise<Buffer> {
  findBlob(archive, descriptor, what);
  const bytes = await archive.bytes(`blobs/sha256/${hexOf(descriptor.digest)}`, what);
  const actual = sha256(bytes);
  if (actual !== descriptor.digest) throw new DigestMismatch(`${what} ${descriptor.digest}`, descriptor.digest, actual);
  return bytes;
}
