import { join } from "node:path";
import { DistributionCache } from "../../image/index.js";
import type { DiffID, ImageID } from "../../spec/index.js";
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
}

/** What is not as it may have been when names have been brought back. */
export interface NamesLeft {
  /** Names that came back to nobody. */
  readonly disputes: readonly Dispute[];
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
export function namesFor(state: RootState, told: readonly NameProof[], sources: readonly Source[]): Named {
  return settled(
    [...told, ...sources.flatMap((source) => source.names?.() ?? [])].filter(({ id }) => isThere(state, id)),
  );
}

/** The same for images without any, where the list is whole: what is in it stays as it is. */
export function namesForNameless(state: RootState, sources: readonly Source[]): Named {
  const references = state.images.repositories.references ?? new Map<string, string>();
  const named = new Set(references.values());
  const { names, disputes } = namesFor(state, namesTold(state), sources);
  const isFree = ({ ref }: { readonly ref: string }) => !references.has(ref);
  return {
    names: names.filter((each) => isFree(each) && !named.has(each.id)),
    disputes: disputes.filter((each) => isFree(each) && each.claims.some(({ id }) => !named.has(id))),
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
    const repositories = await repositoriesOf(state, config.rootfs.diff_ids);
    found.push({ id, containers: containersOf(state, id), repositories });
  }
  return found;
}

/** Which have all of these layers. */
async function repositoriesOf({ images }: RootState, diffIDs: readonly DiffID[]): Promise<string[]> {
  const cache = new DistributionCache(join(images.path, "distribution"));
  let common: Set<string> | undefined;
  for (const diffID of new Set(diffIDs)) {
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
