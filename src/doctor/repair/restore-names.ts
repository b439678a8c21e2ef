import { join } from "node:path";
import { DistributionCache } from "../../image/index.js";
import { hexOf, type ImageID, messageOf } from "../../spec/index.js";
import { type Dispute, isThere, type NameProof, namesTold, settled } from "../check/known/name-proofs.js";
import { repositoriesText } from "../check/known/tags.js";
import { textOf } from "../root/fact.js";
import type { RootState } from "../root/root-state.js";
import { doStep } from "./do-step.js";
import type { Quarantine } from "./quarantine.js";
import type { Source } from "./sources/source.js";

/** What a repair could find out of the names of images. */
export interface Named {
  readonly names: readonly NameProof[];
  readonly disputes: readonly Dispute[];
  /** Which sources could not be asked, and why; one line each. */
  readonly failures: readonly string[];
}

/** Who is asked for names, in this order. */
interface Asking {
  readonly sources: readonly Source[];
  readonly signal?: AbortSignal | undefined;
}

/** What is not as it may have been when names have been brought back. */
export interface NamesLeft {
  /** Names that came back to nobody. */
  readonly disputes: readonly Dispute[];
  readonly failures: readonly string[];
  readonly nameless: readonly Nameless[];
}

/** An image that has no name when all is done. */
export interface Nameless {
  readonly id: ImageID;
  /** Names of the containers that are made of it: while there are any, nothing removes it. */
  readonly containers: readonly string[];
  /** Repositories that all of its layers have come from, or gone to: which tag it had there is not known. */
  readonly repositories: readonly string[];
}

/** The names of a list that is damaged or gone: what the root tells, then the sources. */
export async function namesFor(
  state: RootState,
  told: readonly NameProof[],
  { sources, signal }: Asking,
  isNamed: (id: ImageID) => boolean = () => false,
): Promise<Named> {
  const proofs = told.filter(({ id }) => isThere(state, id));
  const failures: string[] = [];
  for (const source of sources) {
    const found = new Set(settled(proofs).names.map(({ id }) => id));
    const nameless = [...state.images.contents.values()].flatMap(({ id, config }) =>
      id && config && !found.has(id) && !isNamed(id) ? id : [],
    );
    try {
      for await (const proof of source.names?.(state, nameless, signal) ?? []) {
        if (isThere(state, proof.id)) proofs.push(proof);
      }
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${source.name}: ${messageOf(error)}`);
    }
  }
  return { ...settled(proofs), failures };
}

/** The same for images without any, where the list is whole: what is in it stays as it is. */
export async function namesForNameless(state: RootState, asking: Asking): Promise<Named> {
  const references = state.images.repositories.references ?? new Map<string, string>();
  const named = new Set(references.values());
  const { names, disputes, failures } = await namesFor(state, namesTold(state), asking, (id) => named.has(id));
  const isFree = ({ ref }: { readonly ref: string }) => !references.has(ref);
  return {
    names: names.filter((each) => isFree(each) && !named.has(each.id)),
    disputes: disputes.filter((each) => isFree(each) && each.claims.some(({ id }) => !named.has(id))),
    failures,
  };
}

/** Writes the list with these, and what is in it already. @param why for the quarantine */
export async function writeNames(
  { images }: RootState,
  names: readonly NameProof[],
  quarantine: Quarantine,
  why: string,
): Promise<void> {
  const { path, references = [] } = images.repositories;
  const all = new Map([...references, ...names.map(({ ref, id }): [string, string] => [ref, id])]);
  await doStep({ kind: "write-file", path, text: repositoriesText(all), mode: 0o600 }, quarantine, why);
}

/** Images that no name leads to, and that no other image was made from. @param names those that are to come */
export async function namelessIn(state: RootState, names: readonly NameProof[] = []): Promise<Nameless[]> {
  const { contents, metadata, repositories } = state.images;
  const parents = [...metadata].flatMap(([hex, { parent }]) =>
    contents.has(hex) ? (textOf(parent)?.trim() ?? []) : [],
  );
  const known = new Set<string>([
    ...(repositories.references?.values() ?? []),
    ...names.map(({ id }) => id),
    ...parents,
  ]);
  const found: Nameless[] = [];
  for (const { id, config } of contents.values()) {
    if (!id || !config || known.has(id)) continue;
    found.push({ id, containers: containersOf(state, id), repositories: await repositoriesWith(state, id) });
  }
  return found;
}

/** Repositories, with their host, that had all layers of an image when they were seen last. */
export async function repositoriesWith({ images }: RootState, id: ImageID): Promise<string[]> {
  const cache = new DistributionCache(join(images.path, "distribution"));
  let common: Set<string> | undefined;
  for (const diffID of new Set(images.contents.get(hexOf(id))?.config?.rootfs.diff_ids)) {
    const having = new Set((await cache.sourcesOf(diffID)).map(({ repository }) => repository));
    common = common ? new Set([...common].filter((each) => having.has(each))) : having;
  }
  return [...(common ?? [])];
}

function containersOf({ containers }: RootState, id: ImageID): string[] {
  return [...containers].flatMap(([name, { config }]) =>
    config?.Image === id ? (config.Name?.replace(/^\//, "") ?? name.slice(0, 12)) : [],
  );
}
