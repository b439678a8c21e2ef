import { type Resolved, resolveImage } from "../../image/index.js";
import { messageOf, NotFound, zeroTime } from "../../spec/index.js";
import type { ImageInspect } from "../api-image.js";
import { fullRunConfig } from "../run-config.js";
import { sizeOf } from "./list.js";
import { namesOf } from "./names.js";
import type { ImageParts } from "./parts.js";

/** @throws NotFound "no such image: NAME: No such image: …" */
export async function inspectImage(parts: ImageParts, name: string): Promise<ImageInspect> {
  const { image } = found(parts, name);
  const { config, topLayer } = image;
  const size = sizeOf(parts, topLayer);
  return {
    Id: image.id,
    ...namesOf(parts.references.references(image.id)),
    Parent: image.parent ?? "",
    Comment: config.comment || config.history?.at(-1)?.comment || "",
    Created: config.created ?? zeroTime,
    Container: config.container ?? "",
    ContainerConfig: fullRunConfig(config.container_config ?? {}),
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Config: config.config ? fullRunConfig(config.config) : null,
    Architecture: config.architecture ?? "",
    ...(config.variant && { Variant: config.variant }),
    Os: config.os || "linux",
    ...(config["os.version"] && { OsVersion: config["os.version"] }),
    Size: size,
    VirtualSize: size,
    GraphDriver: { Data: topLayer ? await parts.layers.metadata(topLayer) : null, Name: parts.driver },
    RootFS: { Type: config.rootfs.type, Layers: [...config.rootfs.diff_ids] },
    Metadata: { LastTagTime: image.lastTagged ?? zeroTime },
  };
}

function found(parts: ImageParts, name: string): Resolved {
  try {
    return resolveImage(parts.images, parts.references, name);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new NotFound(`no such image: ${name}: ${messageOf(error)}`, { cause: error });
  }
}
