import { type ChainID, InvalidParameter, Undo } from "../../spec/index.js";
import { addImage } from "../add-image.js";
import type { ImageStore } from "../image-store.js";
import { Archive } from "./archive.js";
import { dockerPlans } from "./docker-archive.js";
import type { LoadEvent } from "./events.js";
import { loadLegacy } from "./legacy-archive.js";
import { ociPlans } from "./oci-layout.js";
import type { ImagePlan } from "./plan.js";
import { relay } from "./relay.js";
import { spool } from "./spool.js";
import { type Taking, takeLayer } from "./take-layers.js";
import type { LoadTargets } from "./targets.js";

/**
 * Takes in all images of an archive, plain or compressed: what `docker save` of any version writes, an OCI layout, or
 * the oldest form that has only a `repositories` file. The work starts with the first pull; a reader who stops early
 * aborts it.
 *
 * The archive's names, configs and manifests are checked before the first layer is unpacked. Each image then appears
 * with all its names or not at all; layers that no image came to hold are gone again when a load fails.
 *
 * @throws InvalidParameter, DataLoss: what is wrong with which file of the archive; the reason of `signal`
 */
export function loadArchive(
  body: AsyncIterable<Uint8Array>,
  targets: LoadTargets,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<LoadEvent> {
  return relay<LoadEvent>((tell, stop) => load(body, targets, tell, stop), { ...(signal && { signal }), replaces });
}

/** Of one layer only the newest figure matters. */
function replaces(old: LoadEvent, next: LoadEvent): boolean {
  return old.kind === "layer" && next.kind === "layer" && old.id === next.id && old.current > 0;
}

async function load(
  body: AsyncIterable<Uint8Array>,
  targets: LoadTargets,
  tell: (event: LoadEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  await using spooled = await spool(body, targets.tmp, signal);
  const archive = new Archive(spooled);
  const plans = await plansIn(archive);
  if (!plans) return await loadLegacy(archive, targets, tell, signal);
  for (const plan of plans) await loadImage(plan, targets, tell, signal);
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

async function loadImage(
  plan: ImagePlan,
  targets: LoadTargets,
  tell: (event: LoadEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  await using held = new Undo();
  const taking: Taking = { layers: targets.layers, tell, signal, held };
  let below: ChainID | undefined;
  for (const [at, diffID] of plan.config.rootfs.diff_ids.entries()) {
    signal.throwIfAborted();
    const source = plan.layers[at];
    if (!source) throw new InvalidParameter(`image ${plan.id} has no layer ${at}`);
    below = await takeLayer(taking, source, { at, diffID, below });
  }
  const { image, moved } = await addImage(targets, { config: plan.bytes, tags: plan.tags });
  for (const { ref, from } of moved) tell({ kind: "moved", ref, from });
  tell({ kind: "loaded", id: image.id, refs: plan.tags });
}
