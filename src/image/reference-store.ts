import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ensureDirectory, sweepTemporary, writeAtomic } from "../disk/index.js";
import {
  Conflict,
  DataLoss,
  Forbidden,
  familiarName,
  familiarString,
  goJSON,
  type ImageID,
  InvalidParameter,
  isErrno,
  messageOf,
  NotFound,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../spec/index.js";
import { Serial } from "./serial.js";

/** A name and the image it names. */
export interface Association {
  readonly ref: Reference;
  readonly id: ImageID;
}

/** A repository's references, `NAME:TAG` or `NAME@DIGEST` to image id; null as dockerd may leave it in the file. */
type Repository = Map<string, string> | null;

/**
 * The names of images: `repositories.json` in Docker's form. Each change rewrites the file in one atomic step before
 * it resolves; changes wait for each other. What dockerd would ignore (null repositories, keys that are no reference)
 * is kept as it is.
 */
export class ReferenceStore {
  readonly #path: string;
  readonly #writable: boolean;
  readonly #repositories: Map<string, Repository>;
  readonly #serial = new Serial();
  /** What the repositories say, read and sorted; made anew after each change. */
  #associations: readonly Association[] | undefined;

  private constructor(path: string, writable: boolean, repositories: Map<string, Repository>) {
    this.#path = path;
    this.#writable = writable;
    this.#repositories = repositories;
  }

  /**
   * Reads the file, or makes an empty one with its directory.
   *
   * @param path absolute path of `repositories.json`
   * @param options `writable`: the caller holds the data root's owner lock; without it nothing on disk is changed, and
   * there must be no changes
   * @throws DataLoss: the file is empty or not what Docker writes; it is left untouched
   */
  static async open(path: string, { writable }: { readonly writable: boolean }): Promise<ReferenceStore> {
    const text = await readFile(path, "utf8").catch((error) => {
      if (isErrno(error, "ENOENT")) return undefined;
      throw error;
    });
    const store = new ReferenceStore(path, writable, text === undefined ? new Map() : parseRepositories(path, text));
    if (writable) await store.#prepare(text !== undefined);
    return store;
  }

  /**
   * The image a reference names; `latest` is meant when it has neither tag nor digest. One with both is looked up by
   * digest alone.
   */
  find(ref: Reference): ImageID | undefined {
    const full = withDefaultTag(ref);
    return this.#repositories.get(familiarName(full))?.get(familiarString(full)) as ImageID | undefined;
  }

  /** @throws NotFound: "reference does not exist" */
  get(ref: Reference): ImageID {
    const id = this.find(ref);
    if (id === undefined) throw new NotFound(`reference does not exist: ${familiarString(withDefaultTag(ref))}`);
    return id;
  }

  /** All references of an image, in the order of their text. */
  references(id: ImageID): Reference[] {
    return this.all()
      .filter((entry) => entry.id === id)
      .map((entry) => entry.ref);
  }

  /** The references of one repository, in the order of their text. */
  inRepository(name: Reference): Association[] {
    const wanted = familiarName(name);
    return this.all().filter(({ ref }) => familiarName(ref) === wanted);
  }

  /** Every reference of every image, in the order of their text. */
  all(): readonly Association[] {
    this.#associations ??= associationsIn(this.#repositories.values());
    return this.#associations;
  }

  /**
   * Gives an image a tag.
   *
   * @param options `force` takes the tag from the image that has it
   * @returns the image that had the tag, when it was another one
   * @throws Conflict: another image has it, and no `force`; InvalidParameter: the reference has a digest, or its name
   * is `sha256`
   */
  async addTag(ref: Reference, id: ImageID, options: { readonly force?: boolean } = {}): Promise<ImageID | undefined> {
    const [moved] = await this.#add([tagOnly(ref)], id, options.force ?? false);
    return moved?.id;
  }

  /**
   * Gives an image tags, all or none in one step, taking them from whichever images have them.
   *
   * @param digests recorded in the same step. One that names another image goes on doing so: that of an index does,
   * when the image in it was chosen for another platform
   * @returns the tags that other images had, with those images
   * @throws InvalidParameter: as `addTag`
   */
  async addTags(refs: readonly Reference[], id: ImageID, digests: readonly Reference[] = []): Promise<Association[]> {
    return this.#add(refs.map(tagOnly), id, true, digests);
  }

  /** Records under which digest an image came. @throws Conflict: the digest names another image */
  async addDigest(ref: Reference, id: ImageID): Promise<void> {
    if (ref.digest === undefined) throw new InvalidParameter(`${familiarString(ref)} has no digest`);
    await this.#add([ref], id, false);
  }

  /** Takes a reference away, and with its last one the repository. @returns whether it was there */
  async delete(ref: Reference): Promise<boolean> {
    const full = withDefaultTag(ref);
    const [name, key] = [familiarName(full), familiarString(full)];
    return this.#serial.run(async () => {
      const repository = this.#repositories.get(name);
      if (!repository?.has(key)) return false;
      const rest = new Map([...repository].filter(([other]) => other !== key));
      await this.#replace(new Map([[name, rest.size === 0 ? undefined : rest]]));
      return true;
    });
  }

  /** @param free references that are given only where no image has them */
  async #add(
    refs: readonly Reference[],
    id: ImageID,
    force: boolean,
    free: readonly Reference[] = [],
  ): Promise<Association[]> {
    if (refs.some((ref) => familiarName(ref) === "sha256")) {
      throw new InvalidParameter("refusing to create an ambiguous tag using digest algorithm as name");
    }
    return this.#serial.run(async () => {
      const moved = refs.flatMap((ref) => {
        const previous = this.find(ref);
        if (previous === undefined || previous === id) return [];
        if (!force) throw takenBy(previous, ref);
        return [{ ref, id: previous }];
      });
      const changed = new Map<string, Repository>();
      const added = [...refs.filter((each) => this.find(each) !== id), ...free.filter((each) => !this.find(each))];
      for (const ref of added) {
        const name = familiarName(ref);
        const repository = changed.get(name) ?? new Map(this.#repositories.get(name));
        changed.set(name, repository.set(familiarString(ref), id));
      }
      if (changed.size > 0) await this.#replace(changed);
      return moved;
    });
  }

  /** Repositories in place of those they are called after; undefined removes one. On failure nothing is changed. */
  async #replace(changed: ReadonlyMap<string, Repository | undefined>): Promise<void> {
    const before = new Map([...changed.keys()].map((name) => [name, this.#repositories.get(name)]));
    for (const [name, repository] of changed) this.#set(name, repository);
    try {
      await this.#write();
    } catch (error) {
      for (const [name, repository] of before) this.#set(name, repository);
      throw error;
    }
  }

  #set(name: string, repository: Repository | undefined): void {
    if (repository === undefined) this.#repositories.delete(name);
    else this.#repositories.set(name, repository);
    this.#associations = undefined;
  }

  async #prepare(exists: boolean): Promise<void> {
    if (!exists) await ensureDirectory(dirname(this.#path), 0o700);
    await sweepTemporary(dirname(this.#path));
    if (!exists) await this.#write();
  }

  async #write(): Promise<void> {
    if (!this.#writable) throw new Forbidden(`${this.#path} was opened to be read only`);
    await writeAtomic(this.#path, goJSON({ Repositories: this.#repositories }), { mode: 0o600 });
  }
}

function tagOnly(ref: Reference): Reference {
  if (ref.digest !== undefined) throw new InvalidParameter("refusing to create a tag with a digest reference");
  return withDefaultTag(ref);
}

function takenBy(id: ImageID, ref: Reference): Conflict {
  if (ref.digest !== undefined) return new Conflict(`Cannot overwrite digest ${ref.digest}`);
  return new Conflict(
    `Conflict: Tag ${familiarString(ref)} is already set to image ${id}, if you want to replace it, please use the ` +
      "force option",
  );
}

function associationsIn(repositories: Iterable<Repository>): Association[] {
  const found = [...repositories].flatMap((repository) =>
    [...(repository ?? [])].flatMap(([key, id]) => {
      const ref = parsed(key);
      return ref ? [{ ref, id: id as ImageID, key: Buffer.from(key) }] : [];
    }),
  );
  return found.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ ref, id }) => ({ ref, id }));
}

function parsed(key: string): Reference | undefined {
  try {
    return parseReference(key);
  } catch {
    return undefined;
  }
}

function parseRepositories(path: string, text: string): Map<string, Repository> {
  const damaged = (why: string, cause?: unknown) =>
    new DataLoss(
      `${path} is damaged (${why}): it maps names to images and was left untouched; ` +
        `put back a good copy, or delete it to start with all images unnamed`,
      { cause },
    );
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    throw damaged(text.trim() === "" ? "empty file" : messageOf(error), error);
  }
  if (!isObject(root)) throw damaged("not a JSON object");
  const repositories = root.Repositories ?? {};
  if (!isObject(repositories)) throw damaged("Repositories is not an object");
  return new Map(Object.entries(repositories).map(([name, value]) => [name, repositoryOf(name, value, damaged)]));
}

function repositoryOf(name: string, value: unknown, damaged: (why: string) => Error): Repository {
  if (value === null) return null;
  if (!isObject(value)) throw damaged(`repository ${JSON.stringify(name)} is not an object`);
  const entries = Object.entries(value).map(([key, id]) => [key, id ?? ""] as const);
  const wrong = entries.find(([, id]) => typeof id !== "string");
  if (wrong) throw damaged(`${JSON.stringify(wrong[0])} names no image id`);
  return new Map(entries as (readonly [string, string])[]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
