import { createHmac } from "node:crypto";
import type { BlobSource } from "../../image/index.js";
import type { RepositoryName } from "../../registry/index.js";
import { type Credentials, type Digest, sha256 } from "../../spec/index.js";

/** As many blobs a layer is known by are looked for in the repository it is to go to. */
const mostChecked = 3;
/** As many repositories are asked to give a blob away. */
const mostMounts = 4;

/**
 * The sources of a layer as they concern one repository and one set of credentials. Where a blob was seen is marked
 * with a keyed hash of the credentials it was seen with, so that nobody learns them, nor is told of what only others
 * may see first.
 *
 * @see moby, distribution/metadata/v2_metadata_service.go and push_v2.go
 */
export class LayerSources {
  readonly #target: RepositoryName;
  readonly #key: string;

  constructor(target: RepositoryName, credentials: Credentials = {}) {
    this.#target = target;
    const { username, password, identitytoken, registrytoken } = credentials;
    this.#key = sha256(JSON.stringify({ username, password, identitytoken, registrytoken }));
  }

  /** What is to be recorded of a blob that is there now. */
  here(digest: Digest): BlobSource {
    const repository = `${this.#target.domain}/${this.#target.path}`;
    return { digest, repository, hmac: this.#markOf(digest, repository) };
  }

  #markOf(digest: Digest, repository: string): string {
    return createHmac("sha256", this.#key).update(digest).update(repository).digest("hex");
  }

  /** Whether the blob is said to be in the repository. */
  isHere({ repository }: BlobSource): boolean {
    return repository === `${this.#target.domain}/${this.#target.path}`;
  }

  /** Whether it was seen by nobody else. */
  isOurs({ digest, repository, hmac }: BlobSource): boolean {
    return hmac === "" || hmac === this.#markOf(digest, repository);
  }

  /** Blobs to look for, each once: those said to be there first, then those seen last. */
  toCheck(sources: readonly BlobSource[]): BlobSource[] {
    const newest = sources.toReversed();
    const ordered = [...newest.filter((each) => this.isHere(each)), ...newest.filter((each) => !this.isHere(each))];
    return ordered
      .filter((each, at) => ordered.findIndex(({ digest }) => digest === each.digest) === at)
      .slice(0, mostChecked);
  }

  /**
   * Repositories of the same registry to mount a blob from, by path: those seen with the same credentials first, then
   * those of the most similar name, then those seen last.
   */
  toMount(sources: readonly BlobSource[]): (BlobSource & { readonly from: string })[] {
    const inside = `${this.#target.domain}/`;
    const elsewhere = sources.filter((each) => each.repository.startsWith(inside) && !this.isHere(each)).toReversed();
    const ranked = elsewhere.map((each) => ({ ...each, from: each.repository.slice(inside.length) }));
    ranked.sort(
      (a, b) =>
        Number(this.#isMarked(b)) - Number(this.#isMarked(a)) || this.#likeness(b.from) - this.#likeness(a.from),
    );
    return ranked.slice(0, mostMounts);
  }

  #isMarked({ digest, repository, hmac }: BlobSource): boolean {
    return hmac === this.#markOf(digest, repository);
  }

  /** How many parts of the path are the same, from the beginning. */
  #likeness(path: string): number {
    const [ours, theirs] = [this.#target.path.split("/"), path.split("/")];
    const differs = theirs.findIndex((part, at) => part !== ours[at]);
    return differs < 0 ? theirs.length : differs;
  }
}
