import { type Descriptor, parseReference, type Reference } from "../../spec/index.js";

/**
 * The name an OCI layout gives to one of its images: containerd's and Docker's annotation has it whole; the standard
 * one may have only a tag, which names no repository and is passed over.
 */
export function nameIn({ annotations }: Descriptor): Reference[] {
  const text =
    annotations?.["io.containerd.image.name"] ?? withRepository(annotations?.["org.opencontainers.image.ref.name"]);
  if (text === undefined) return [];
  const ref = parsed(text);
  return ref?.tag !== undefined && ref.digest === undefined ? [ref] : [];
}

function withRepository(text: string | undefined): string | undefined {
  return text !== undefined && /[:/]/.test(text) ? text : undefined;
}

/** Others write other things there; a word that is no reference is no name. */
function parsed(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}
