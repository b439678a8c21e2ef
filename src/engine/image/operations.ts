import type {
  DistributionInspect,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  ImagesPruned,
  ProgressMessage,
} from "../api-image.js";
import type { Filters } from "../api-system.js";
import type {
  AbortOption,
  DistributionOptions,
  ImageListOptions,
  ImageRemoveOptions,
  Images,
  ImportOptions,
  LoadOptions,
  PullOptions,
  PushOptions,
} from "../images.js";
import { inspectDistribution } from "../pull/inspect-distribution.js";
import { pullByName } from "../pull/request.js";
import { pushByName } from "../push/request.js";
import { imageHistory } from "./history.js";
import { inspectImage } from "./inspect.js";
import { listImages } from "./list.js";
import type { ImageParts } from "./parts.js";
import { pruneImages } from "./prune.js";
import { removeImage } from "./remove.js";
import { tagImage } from "./tag.js";
import { importImage, loadImages, saveImages } from "./transfer.js";

/** The images of one data root. */
export class ImageOperations implements Images {
  readonly #parts: ImageParts;

  constructor(parts: ImageParts) {
    this.#parts = parts;
  }

  async list(options?: ImageListOptions): Promise<ImageSummary[]> {
    return listImages(this.#parts, options);
  }

  inspect(name: string): Promise<ImageInspect> {
    return inspectImage(this.#parts, name);
  }

  async history(name: string): Promise<ImageHistoryItem[]> {
    return imageHistory(this.#parts, name);
  }

  load(archive: AsyncIterable<Uint8Array>, options?: LoadOptions): AsyncIterable<ProgressMessage> {
    return loadImages(this.#parts, archive, options);
  }

  pull(name: string, options?: PullOptions): AsyncIterable<ProgressMessage> {
    return pullByName(this.#parts, name, options);
  }

  push(name: string, options?: PushOptions): AsyncIterable<ProgressMessage> {
    return pushByName(this.#parts, name, options);
  }

  distribution(name: string, options?: DistributionOptions): Promise<DistributionInspect> {
    return inspectDistribution(this.#parts, name, options);
  }

  save(names: readonly string[], options?: AbortOption): Promise<AsyncIterable<Uint8Array>> {
    return saveImages(this.#parts, names, options);
  }

  import(archive: AsyncIterable<Uint8Array>, options?: ImportOptions): AsyncIterable<ProgressMessage> {
    return importImage(this.#parts, archive, options);
  }

  tag(name: string, repo: string, tag?: string): Promise<void> {
    return tagImage(this.#parts, name, repo, tag);
  }

  remove(name: string, options?: ImageRemoveOptions): Promise<ImageDeleteItem[]> {
    return removeImage(this.#parts, name, options);
  }

  prune({ filters }: { readonly filters?: Filters } = {}): Promise<ImagesPruned> {
    return pruneImages(this.#parts, filters);
  }

  count(): number {
    return this.#parts.images.list().length;
  }
}
