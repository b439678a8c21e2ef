import { createHash } from "node:crypto";
import { DataLoss, InvalidParameter } from "./errors.js";

declare const kind: unique symbol;

/** `sha256:` and 64 lower-case hex digits. @see OCI image-spec v1.1 descriptor.md, "Digests" */
export type Digest = `sha256:${string}` & { readonly [kind]?: unknown };
/** Digest of a layer's uncompressed tar stream, every byte of it. */
export type DiffID = Digest & { readonly [kind]: "DiffID" };
/** Names a stack of layers by content. */
export type ChainID = Digest & { readonly [kind]: "ChainID" };
/** Digest of the image config's bytes. */
export type ImageID = Digest & { readonly [kind]: "ImageID" };

/** DiffID of the empty layer: 1024 NUL bytes. */
export const emptyDiffID = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef" as DiffID;

/** @throws InvalidParameter: not `sha256:` and 64 lower-case hex digits; white space around it is accepted */
export function parseDigest<D extends Digest = Digest>(text: string): D {
  const trimmed = text.trim();
  if (!/^sha256:[0-9a-f]{64}$/.test(trimmed)) {
    throw new InvalidParameter(`invalid digest ${JSON.stringify(text.slice(0, 100))}: want sha256:<64 hex digits>`);
  }
  return trimmed as D;
}

/** The hex part of a digest: the name of its file in content-addressed directories. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** Digest of bytes that are all at hand; of text, its UTF-8. */
export function sha256(data: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(data).digest("hex")}` as Digest;
}

/** A digest made piece by piece. `digest()` ends it. */
export class Digester {
  #hash = createHash("sha256");
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }
  digest<D extends Digest = Digest>(): D {
    return `sha256:${this.#hash.digest("hex")}` as D;
  }
}

/** Bytes read do not hash to what was promised. */
export class DigestMismatch extends DataLoss {
  readonly expected: Digest;
  readonly actual: Digest;
  constructor(what: string, expected: Digest, actual: Digest) {
    super(`${what}: expected ${expected}, read ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/**
 * Names a stack of layers by content: two stacks with one ChainID hold the same files.
 *
 * @param diffIDs bottom layer first, as `rootfs.diff_ids` of the image config lists them
 * @returns `diffIDs[0]` itself for one layer; else sha256 of `"<ChainID below> <DiffID>"`, one ASCII space
 * @see OCI image-spec v1.1 config.md, "Layer ChainID"
 */
export function chainID([bottom, ...rest]: readonly [DiffID, ...DiffID[]]): ChainID {
  return rest.reduce((below, diffID) => nextChainID(below, diffID), bottom as Digest as ChainID);
}

/** The ChainID of `diffID` on top of `below`; of a bottom layer when `below` is undefined. */
export function nextChainID(below: ChainID | undefined, diffID: DiffID): ChainID {
  return (below === undefined ? diffID : sha256(`${below} ${diffID}`)) as Digest as ChainID;
}
