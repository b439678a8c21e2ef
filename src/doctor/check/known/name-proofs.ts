import { familiarName, hexOf, type ImageID, parseReference } from "../../../spec/index.js";
import { textOf } from "../../root/fact.js";
import type { RootState } from "../../root/root-state.js";

/** That an image has a name, and who says so. */
export interface NameProof {
  /** As `repositories.json` has it: `NAME:TAG` or `NAME@DIGEST`. */
  readonly ref: string;
  readonly id: ImageID;
  /** How lines name who says so: `as container web calls it`. */
  readonly from: string;
  /** It is of the list itself: what others say otherwise does not count. */
  readonly isSure?: boolean;
}

/** A name that two images are said to have. */
export interface Dispute {
  readonly ref: string;
  readonly claims: readonly NameProof[];
}

/** What a root itself tells of the names of its images: what can be read of a damaged list, and what containers say. */
export function namesTold(state: RootState): NameProof[] {
  return [...salvaged(state), ...namesOfContainers(state)].filter(({ id }) => isThere(state, id));
}

/** Whether a list that is whole lacks all names, while containers call images by some: dockerd has begun it anew, then. */
export function hasLostNames(state: RootState): boolean {
  return state.images.repositories.references?.size === 0 && settled(namesTold(state)).names.length > 0;
}

/** Also one whose config is damaged, and may be restored. */
export function isThere({ images }: RootState, id: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(id) && images.contents.has(hexOf(id as ImageID));
}

/** A name goes to the image that all say it belongs to. */
export function settled(proofs: readonly NameProof[]): { names: NameProof[]; disputes: Dispute[] } {
  const byRef = new Map<string, NameProof[]>();
  for (const proof of proofs) byRef.set(proof.ref, [...(byRef.get(proof.ref) ?? []), proof]);
  const [names, disputes]: [NameProof[], Dispute[]] = [[], []];
  for (const [ref, all] of byRef) {
    const sure = all.find(({ isSure }) => isSure);
    const [first] = all;
    if (sure) names.push(sure);
    else if (first && all.every(({ id }) => id === first.id)) names.push(first);
    else disputes.push({ ref, claims: all });
  }
  return { names, disputes };
}

/** As `repositories.json` would have it; undefined: it is no name. */
export function storedName(text: string): string | undefined {
  try {
    const { digest, tag = "latest", ...repository } = parseReference(text);
    const name = familiarName(repository);
    return digest ? `${name}@${digest}` : `${name}:${tag}`;
  } catch {
    return undefined;
  }
}

/** What is still to be read in a list that is damaged. */
function salvaged({ images }: RootState): NameProof[] {
  const { fact, references } = images.repositories;
  if (references) return [];
  const pairs = (textOf(fact) ?? "").matchAll(/"([^"\\]+)":"(sha256:[0-9a-f]{64})"/g);
  return [...pairs].flatMap(([, ref = "", id = ""]) => proof(ref, id, "as the damaged list has it", true));
}

function namesOfContainers({ containers }: RootState): NameProof[] {
  return [...containers].flatMap(([id, { config }]) => {
    const [called, image] = [config?.Config?.Image, config?.Image];
    if (typeof called !== "string" || typeof image !== "string" || isPartOf(called, image)) return [];
    const name = typeof config?.Name === "string" ? config.Name.replace(/^\//, "") : id.slice(0, 12);
    return proof(called, image, `as container ${name} calls it`);
  });
}

/** Containers can be made by an image's ID, or by its beginning. */
function isPartOf(called: string, id: string): boolean {
  return /^(sha256:)?[0-9a-f]+$/.test(called) && id.slice("sha256:".length).startsWith(called.replace("sha256:", ""));
}

function proof(called: string, id: string, from: string, isSure = false): NameProof[] {
  const ref = storedName(called);
  return ref === undefined ? [] : [{ ref, id: id as ImageID, from, ...(isSure && { isSure }) }];
}
