import { addImage, newImageConfig } from "../../image/index.js";
import {
  familiarString,
  type ImageConfig,
  InvalidParameter,
  nowNs,
  parseReference,
  type Reference,
  rfc3339,
  Undo,
} from "../../spec/index.js";
import type { CommitOptions } from "../containers.js";
import { applyChanges } from "../dockerfile/apply-changes.js";
import { architecture, productVersion } from "../product.js";
import { whilePaused } from "../run/pause.js";
import { fullRunConfig } from "../run-config.js";
import { type ContainerParts, emitContainer } from "./container-parts.js";
import { mergeConfig } from "./merge-config.js";

/** Makes an image of a container. @see Containers.commit */
export async function commitContainer(
  parts: ContainerParts,
  name: string,
  { pause = true, ...options }: CommitOptions = {},
): Promise<{ readonly Id: string }> {
  if (!pause) return commit(parts, name, options);
  return whilePaused(parts, parts.store.find(name).stored.ID, () => commit(parts, name, options));
}

async function commit(
  parts: ContainerParts,
  name: string,
  { repo, tag, comment = "", author = "", changes = [], config, signal }: CommitOptions,
): Promise<{ readonly Id: string }> {
  const { store, layers, imageStore, references, events, turns } = parts;
  const { ID: id } = store.find(name).stored;
  return turns.shared(id, async () => {
    const container = store.find(id);
    const { stored } = container;
    const ref = repo ? targetOf(repo, tag) : undefined;
    const asked = config ? fullRunConfig(config) : stored.Config;
    const committed = mergeConfig(applyChanges(asked, changes), stored.Config);
    const base = imageStore.list().find((image) => image.id === stored.Image);
    const below: Partial<ImageConfig> = base?.config ?? { architecture, os: "linux" };

    await using undo = new Undo();
    const layer = await layers.rw.commit(id, { ...(signal && { signal }) });
    if (layer) undo.defer(() => layers.release(layer.chainID));
    const created = rfc3339(nowNs());
    const step = { created, author, created_by: (stored.Config.Cmd ?? []).join(" "), comment, empty_layer: !layer };
    const text = (key: "architecture" | "variant" | "os" | "os.version") => below[key] ?? "";
    const bytes = newImageConfig({
      architecture: text("architecture"),
      variant: text("variant"),
      os: text("os") || "linux",
      osVersion: text("os.version"),
      osFeatures: below["os.features"] ?? [],
      author,
      config: committed,
      container: id,
      containerConfig: stored.Config,
      created,
      dockerVersion: productVersion,
      history: [...(below.history ?? []), step],
      diffIDs: [...(below.rootfs?.diff_ids ?? []), ...(layer ? [layer.diffID] : [])],
    });
    const made = { config: bytes, tags: ref ? [ref] : [], stamp: true, ...(base && { parent: base.id }) };
    const { image } = await addImage({ images: imageStore, references }, made);
    const imageRef = ref ? familiarString(ref) : "";
    if (ref) events.emit("image", "tag", image.id, { ...committed.Labels, name: imageRef });
    emitContainer(parts, container, "commit", { comment, imageID: image.id, imageRef });
    return { Id: image.id };
  });
}

/** @throws InvalidParameter: no reference, or a tag that is none */
function targetOf(repo: string, tag: string | undefined): Reference {
  const ref = parseReference(repo);
  if (tag && !/^\w[\w.-]{0,127}$/.test(tag)) throw new InvalidParameter("invalid tag format");
  const { domain, path } = ref;
  return { domain, path, tag: tag || (ref.tag ?? "latest") };
}
