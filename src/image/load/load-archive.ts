import { InvalidParameter, Undo } from "../../spec/index.js";
import { addImage } from "../add-image.js";
import type { ImageStore } from "../image-store.js";
import { Archive } from "./archive.js";
import { dockerPlans } from "./docker-archive.js";
import type { LoadEvent } from "./events.js";
import { type Intake, takeIn } from "./intake.js";
import { loadLegacy } from "./legacy-archive.js";
import { ociPlans } from "./oci-layout.js";
import type { ImagePlan } from "./plan.js";
import { relay } from "./relay.js";
import { takeImage } from "./take-layers.js";
import type { LoadTargets } from "./targets.js";
import type { Telling } from "./telling.js";

/** A load that has read its archive. */
interface Loading extends Telling {
  readonly intake: Intake;
}

/**
 * Takes in all images of an archive, plain or compressed: what `docker save` of any version writes, an OCI layout, or
 * the oldest form that has only a `repositories` file. The work starts with the first pull; a reader who stops early
 * aborts it.
 *
 * Layers are unpacked while the archive comes in, but have no place in the store until its names, configs and
 * manifests are there and checked. Each image then appears with all its names or not at all; layers that no image came
 * to hold are gone at the end.
 *
 * @throws InvalidParameter, DataLoss: what is wrong with which file of the archive; the reason of `signal`
 */
export function loadArchive(
  body: AsyncIterable<Uint8Array>,
  targets: LoadTargets,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<LoadEvent> {
  return relay<LoadEvent>((tell, stop) => load(body, targets, { tell, signal: stop }), {
    ...(signal && { signal }),
    replaces,
  });
}

/** Of one layer only the newest figure matters. */
function replaces(old: LoadEvent, next: LoadEvent): boolean {
  return old.kind === "layer" && next.kind === "layer" && old.id === next.id && old.current > 0;
}

async function load(body: AsyncIterable<Uint8Array>, targets: LoadTargets, telling: Telling): Promise<void> {
  await using intake = await takeIn(body, targets, telling);
  const loading = { ...telling, intake };
  const archive = new Archive(intake);
  const plans = await plansIn(archive);
  if (!plans) return await loadLegacy(archive, targets, loading);
  for (const plan of plans) await loadImage(plan, targets, loading);
  await linkParents(plans, targets.images);
}

/** Of images that are there: others may have been removed again meanwhile. */
async function linkParents(plans: readonly ImagePlan[], images: ImageStore): Promise<void> {
  const loaded = new Set(plans.map(({ id }) => id));
  await images.exclusive(async () => {
    for (const { id, parent } of plans) {
      if (parent && loaded.has(parent) && images.find(id) && images.find(parent)) await images.setParent(id, parent);
    }
  });
}

/** undefined: an archive of the oldest form. */
async function plansIn(archive: Archive): Promise<ImagePlan[] | undefined> {
  if (archive.has("manifest.json")) return dockerPlans(archive);
  if (archive.has("oci-layout") || archive.has("index.json")) return ociPlans(archive);
  if (archive.has("repositories")) return undefined;
  throw new InvalidParameter(
    "invalid archive: it has no manifest.json, no index.json and no repositories file: not an image archive " +
      "(a root file system is taken in by import)",
  );
}

async function loadImage(plan: ImagePlan, targets: LoadTargets, loading: Loading): Promise<void> {
  loading.signal.throwIfAborted();
  await using held = new Undo();
  await takeImage({ ...loading, targets, held }, plan);
  const { image, moved } = await addImage(targets, { config: plan.bytes, tags: plan.tags });
  for (const { ref, from } of moved) loading.tell({ kind: "moved", ref, from });
  loading.tell({ kind: "loaded", id: image.id, refs: plan.tags });
}
