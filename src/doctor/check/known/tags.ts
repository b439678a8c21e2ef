import { familiarName, goJSON, type ImageID, parseReference } from "../../../spec/index.js";
import type { Known } from "./known.js";

/**
 * Whether an image that has tags and no config is missed: something else speaks of it, too. One of which nothing but
 * tags is left was removed.
 */
export function isMissed(known: Known, id: string): boolean {
  const { images, containers } = known.state;
  const hex = /^sha256:([0-9a-f]{64})$/.exec(id)?.[1];
  if (hex === undefined || images.contents.has(hex)) return false;
  if (![...(images.repositories.references?.values() ?? [])].includes(id)) return false;
  const isSpokenOf = images.metadata.has(hex) || [...containers.values()].some(({ config }) => config?.Image === id);
  // Layers that nobody has are its, most likely.
  return isSpokenOf || [...known.layers.values()].some(({ entry, chainID }) => entry && !known.needed.has(chainID));
}

/** `repositories.json` with these references; those that are none are left out. */
export function repositoriesText(references: ReadonlyMap<string, string>): string {
  const repositories = new Map<string, Map<string, string>>();
  for (const [ref, id] of references) {
    const name = nameOf(ref);
    if (name !== undefined) repositories.set(name, (repositories.get(name) ?? new Map<string, string>()).set(ref, id));
  }
  return goJSON({ Repositories: repositories });
}

/** Undefined: it is no reference. */
export function nameOf(ref: string): string | undefined {
  try {
    return familiarName(parseReference(ref));
  } catch {
    return undefined;
  }
}

/** What an image is called; undefined: it has no name. */
export function tagOf({ state }: Pick<Known, "state">, id: ImageID): string | undefined {
  return [...(state.images.repositories.references ?? [])].find(([, each]) => each === id)?.[0];
}
