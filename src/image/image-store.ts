import type { Damaged, LayerStore, ReleasedLayer } from "../layer/index.js";
import {
  Forbidden,
  type ImageID,
  imageIDOf,
  messageOf,
  NotFound,
  nowNs,
  parseImageConfig,
  rfc3339Local,
  Undo,
} from "../spec/index.js";
import { type Image, topLayerOf } from "./image.js";
import { ImageDB } from "./imagedb.js";
import { Serial } from "./serial.js";

/** Images read at the same time at opening. */
const atOnce = 32;

export interface ImageStoreOptions {
  /** Absolute path of `image/DRIVER` under the data root; made when missing and `writable`. */
  readonly root: string;
  /** Where images hold their top layers. It is not closed with the store. */
  readonly layers: LayerStore;
  /** The caller holds the data root's owner lock. Without it nothing on disk is changed. */
  readonly writable: boolean;
  /** Told one line for each leftover that was removed at opening. */
  readonly report?: (line: string) => void;
}

/**
 * Images by ImageID, in Docker's `imagedb` format: each is its config, byte for byte as it came, and holds one handle
 * on its top layer. An image is there from the moment its config file is, and gone with it: a crash between the steps
 * of `create` or `delete` leaves one or the other, and the next writable opening sweeps the rest.
 *
 * Reading is immediate; changes wait for each other.
 */
export class ImageStore {
  /** Images that could not be used at opening: left on disk as they are, never listed. */
  readonly damaged: readonly Damaged[];
  readonly #db: ImageDB;
  readonly #writable: boolean;
  readonly #layers: LayerStore;
  readonly #images: Map<ImageID, Image>;
  readonly #serial = new Serial();
  readonly #exclusive = new Serial();

  private constructor(
    db: ImageDB,
    { layers, writable }: ImageStoreOptions,
    images: Map<ImageID, Image>,
    damaged: readonly Damaged[],
  ) {
    this.#db = db;
    this.#writable = writable;
    this.#layers = layers;
    this.#images = images;
    this.damaged = damaged;
  }

  /**
   * Reads the imagedb, or begins one, and takes a handle on each image's top layer. Damaged images are no error.
   *
   * @throws Unavailable "failed to create storage backend": a file stands where a directory is needed
   */
  static async open(options: ImageStoreOptions): Promise<ImageStore> {
    const { root, layers, writable, report } = options;
    const db = await ImageDB.open(root, writable);
    if (writable) await db.sweep(report ?? (() => undefined));
    const images = new Map<ImageID, Image>();
    const damaged: Damaged[] = [];
    const restored = async (id: ImageID) => {
      try {
        images.set(id, await restore(db, layers, id));
      } catch (error) {
        damaged.push({ path: db.contentPath(id), why: messageOf(error) });
      }
    };
    const ids = await db.list();
    for (let at = 0; at < ids.length; at += atOnce) await Promise.all(ids.slice(at, at + atOnce).map(restored));
    return new ImageStore(db, options, images, damaged);
  }

  /** All images, in no order. */
  list(): Image[] {
    return [...this.#images.values()];
  }

  find(id: ImageID): Image | undefined {
    return this.#images.get(id);
  }

  /** @throws NotFound "No such image: ID" */
  get(id: ImageID): Image {
    const image = this.#images.get(id);
    if (!image) throw new NotFound(`No such image: ${id}`);
    return image;
  }

  /** The config as it came. @throws NotFound; DigestMismatch, the message begins "failed to verify": changed on disk */
  async config(id: ImageID): Promise<Buffer> {
    return this.#db.read(this.get(id).id);
  }

  /** Images whose recorded parent this is. */
  children(id: ImageID): Image[] {
    return this.list().filter((image) => image.parent === id);
  }

  /** Images that are no other's parent. */
  heads(): Image[] {
    const parents = new Set(this.list().map((image) => image.parent));
    return this.list().filter((image) => !parents.has(image.id));
  }

  /**
   * The image whose id begins with these hex digits, with or without `sha256:` in front.
   *
   * @returns undefined when none does, or more than one
   */
  search(prefix: string): Image | undefined {
    const hex = prefix.replace(/^sha256:/, "");
    if (!/^[0-9a-f]{1,64}$/.test(hex)) return undefined;
    const [found, other] = this.list().filter((image) => image.id.startsWith(`sha256:${hex}`));
    return other ? undefined : found;
  }

  /**
   * Takes in an image config whose layers are all there; one that is there already is left as it is. It survives a
   * power cut once this resolves.
   *
   * @throws InvalidParameter: no usable config; NotFound "failed to get layer …": its top layer is not there
   */
  async create(config: Uint8Array): Promise<Image> {
    const made = imageOf(config);
    return this.#change(async () => {
      const there = this.#images.get(made.id);
      if (there) return there;
      await using undo = new Undo();
      hold(this.#layers, made, undo);
      // There is something already where the image was damaged.
      const image = { ...made, ...(await this.#db.metadata(made.id)) };
      await this.#db.create(image.id, config);
      undo.done();
      this.#images.set(image.id, image);
      return image;
    });
  }

  /** Records upon which image this one was made; undefined takes the record away. @throws NotFound: no such image */
  async setParent(id: ImageID, parent: ImageID | undefined): Promise<void> {
    await this.#change(async () => {
      const { parent: _, ...image } = this.get(id);
      if (parent === undefined) await this.#db.deleteMetadata(id, "parent");
      else await this.#db.setMetadata(id, "parent", this.get(parent).id);
      this.#images.set(id, { ...image, ...(parent && { parent }) });
    });
  }

  /** Records that it got a tag now. @throws NotFound */
  async setTagged(id: ImageID): Promise<void> {
    await this.#change(async () => {
      const image = { ...this.get(id), lastTagged: rfc3339Local(nowNs()) };
      await this.#db.setMetadata(id, "lastUpdated", image.lastTagged);
      this.#images.set(id, image);
    });
  }

  /**
   * Runs a change that spans this store and the names while no other such change runs, so that no image is deleted
   * between being found and being named. Not to be nested.
   */
  exclusive<T>(change: () => Promise<T>): Promise<T> {
    return this.#exclusive.run(change);
  }

  /**
   * Deletes an image: its children lose their parent, its top layer is given back. Names are not looked at.
   *
   * @returns the layers deleted with it, top first
   * @throws NotFound
   */
  async delete(id: ImageID): Promise<ReleasedLayer[]> {
    return this.#change(async () => {
      const image = this.get(id);
      await this.#db.deleteContent(id);
      this.#images.delete(id);
      await this.#db.deleteAllMetadata(id);
      for (const { parent: _, ...child } of this.children(id)) {
        this.#images.set(child.id, child);
        await this.#db.deleteMetadata(child.id, "parent");
      }
      return image.topLayer ? this.#layers.release(image.topLayer) : [];
    });
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    return this.#serial.run(async () => {
      if (!this.#writable) throw new Forbidden("the image store was opened to be read only");
      return change();
    });
  }
}

function imageOf(bytes: Uint8Array): Image {
  const config = parseImageConfig(bytes);
  const topLayer = topLayerOf(config);
  return { id: imageIDOf(bytes), config, ...(topLayer && { topLayer }) };
}

async function restore(db: ImageDB, layers: LayerStore, id: ImageID): Promise<Image> {
  const image = imageOf(await db.read(id));
  const metadata = await db.metadata(id);
  if (image.topLayer && !layers.find(image.topLayer)) {
    throw new NotFound(`layer does not exist, not restoring image ${id}: no layer ${image.topLayer}`);
  }
  if (image.topLayer) layers.acquire(image.topLayer);
  return { ...image, ...metadata };
}

function hold(layers: LayerStore, { id, topLayer }: Image, undo: Undo): void {
  if (!topLayer) return;
  try {
    layers.acquire(topLayer);
  } catch (error) {
    throw new NotFound(`failed to get layer ${topLayer} of image ${id}: layer does not exist`, { cause: error });
  }
  undo.defer(() => layers.release(topLayer));
}
