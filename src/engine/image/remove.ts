import { type Image, resolveImage } from "../../image/index.js";
import { Conflict, familiarName, familiarString, type Reference, shortID } from "../../spec/index.js";
import type { ImageDeleteItem } from "../api-image.js";
import type { ImageRemoveOptions } from "../images.js";
import { told } from "./names.js";
import { ImageInUse, obstacleTo } from "./obstacle.js";
import type { ImageParts } from "./parts.js";

/**
 * Removes a name, and with its last one the image: the rules, texts and order are dockerd's.
 *
 * @returns what was done, in the order done
 * @throws NotFound; Conflict: it is needed
 * @see moby 20.10, daemon/images/image_delete.go
 */
export function removeImage(
  parts: ImageParts,
  name: string,
  options: ImageRemoveOptions = {},
): Promise<ImageDeleteItem[]> {
  return parts.images.exclusive(() => removeNow(parts, name, options));
}

/** The same for who has the images to itself already, by `exclusive`. */
export function removeNow(
  parts: ImageParts,
  name: string,
  options: ImageRemoveOptions = {},
): Promise<ImageDeleteItem[]> {
  return new Removal(parts, options).run(name);
}

class Removal {
  readonly #parts: ImageParts;
  readonly #force: boolean;
  readonly #prune: boolean;
  readonly #done: ImageDeleteItem[] = [];

  constructor(parts: ImageParts, { force = false, noprune = false }: ImageRemoveOptions) {
    this.#parts = parts;
    this.#force = force;
    this.#prune = !noprune;
  }

  async run(name: string): Promise<ImageDeleteItem[]> {
    const { images, references } = this.#parts;
    const { image, ref } = resolveImage(images, references, name);
    if (ref) await this.#removeName(image, ref, name);
    else await this.#removeByID(image);
    return this.#done;
  }

  async #removeName(image: Image, ref: Reference, typed: string): Promise<void> {
    const [user] = this.#parts.usersOf(image.id);
    if (!this.#force && user && isSingle(this.#references(image))) {
      throw new Conflict(
        `conflict: unable to remove repository reference ${JSON.stringify(typed)} (must force) - container ` +
          `${shortID(user.id)} is using its referenced image ${shortID(image.id)}`,
      );
    }
    await this.#untag(image, ref);
    await this.#untagDigestsLeft(image, ref);
    if (this.#references(image).length === 0) await this.#delete(image, { force: this.#force, quiet: true });
  }

  /** Digest references of a repository go with its last tag. */
  async #untagDigestsLeft(image: Image, removed: Reference): Promise<void> {
    const same = this.#references(image).filter((ref) => familiarName(ref) === familiarName(removed));
    if (removed.digest !== undefined || same.some(({ digest }) => digest === undefined)) return;
    for (const ref of same) await this.#untag(image, ref, false);
  }

  async #removeByID(image: Image): Promise<void> {
    if (isSingle(this.#references(image))) {
      const obstacle = obstacleTo(this.#parts, image.id, { soft: !this.#force, references: false });
      if (obstacle) throw new ImageInUse(image.id, obstacle);
      for (const ref of this.#references(image)) await this.#untag(image, ref);
    }
    await this.#delete(image, { force: this.#force, quiet: false });
  }

  /** @param how `quiet`: an image that is needed stays without a word, unless nobody could see it any more */
  async #delete(image: Image, how: { readonly force: boolean; readonly quiet: boolean }): Promise<void> {
    const obstacle = obstacleTo(this.#parts, image.id, { soft: !how.force, references: !how.force });
    if (obstacle && how.quiet && (!this.#isDangling(image) || obstacle.used)) return;
    if (obstacle) throw new ImageInUse(image.id, obstacle);
    for (const ref of this.#references(image)) await this.#untag(image, ref);
    const layers = await this.#parts.images.delete(image.id);
    told(this.#parts, "delete", image);
    this.#done.push({ Deleted: image.id }, ...layers.map(({ chainID }) => ({ Deleted: chainID })));
    const parent = image.parent && this.#parts.images.find(image.parent);
    if (parent && this.#prune) await this.#delete(parent, { force: false, quiet: true });
  }

  async #untag(image: Image, ref: Reference, tell = true): Promise<void> {
    await this.#parts.references.delete(ref);
    if (tell) told(this.#parts, "untag", image);
    this.#done.push({ Untagged: familiarString(ref) });
  }

  #references({ id }: Image): Reference[] {
    return this.#parts.references.references(id);
  }

  #isDangling({ id }: Image): boolean {
    return this.#parts.references.references(id).length === 0 && this.#parts.images.children(id).length === 0;
  }
}

/** At most one tag, and digests of the same repository only. */
function isSingle(references: readonly Reference[]): boolean {
  const tags = references.filter(({ digest }) => digest === undefined);
  const repositories = new Set(references.map(familiarName));
  return references.length <= 1 || (tags.length <= 1 && repositories.size === 1);
}
