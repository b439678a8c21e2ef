import {
  type Descriptor,
  type Digest,
  DigestMismatch,
  Forbidden,
  familiarName,
  familiarString,
  mediaTypes,
  NotFound,
  NotImplemented,
  parseDigest,
  type Reference,
  sha256,
} from "../spec/index.js";
import type { Answer } from "./exchange.js";
import { bytesOf } from "./failure.js";
import { largestManifest } from "./limits.js";

const { ociManifest, ociIndex, dockerManifest, dockerIndex } = mediaTypes;
const known: readonly string[] = [dockerManifest, dockerIndex, ociManifest, ociIndex];

/** What is asked for. Schema 1 is not, so that a registry that can give something else does. */
export const acceptManifests = { accept: known.join(", ") };

/** A manifest or an index, whole, as the registry has it. */
export interface Resolved {
  /** `size` and `digest` are those of `bytes`; `mediaType` is one of the four that `spec` names. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Reads a manifest out of an answer. @throws as Repository.resolve does */
export async function manifestIn(answer: Answer, ref: Reference): Promise<Resolved> {
  const bytes = await bytesOf(answer, largestManifest, `manifest of ${familiarString(ref)}`);
  const digest = sha256(bytes);
  const promised = ref.digest ?? digestIn(answer.header("docker-content-digest"));
  if (promised !== undefined && promised !== digest) {
    throw new DigestMismatch(`manifest of ${familiarString(ref)}`, promised, digest);
  }
  return { descriptor: { mediaType: mediaTypeOf(answer, bytes, ref), digest, size: bytes.length }, bytes };
}

function digestIn(text: string | undefined): Digest | undefined {
  return text?.startsWith("sha256:") ? parseDigest(text) : undefined;
}

/** What the answer says; where that is nothing in particular, what the manifest says of itself. */
function mediaTypeOf(answer: Answer, bytes: Uint8Array, ref: Reference): string {
  const said = answer.header("content-type")?.split(";")[0]?.trim() ?? "";
  if (known.includes(said)) return said;
  const { mediaType, schemaVersion } = parsed(bytes);
  if (schemaVersion === 1 || /manifest\.v1\+/.test(said)) {
    throw new NotImplemented(
      `${familiarString(ref)} is an image of Docker's schema 1, which is no longer supported: have it pushed again by a Docker of today`,
    );
  }
  if (typeof mediaType === "string" && known.includes(mediaType)) return mediaType;
  throw new NotImplemented(
    `manifest of ${familiarString(ref)} has media type ${JSON.stringify(said)}, which is no image`,
  );
}

function parsed(bytes: Uint8Array): { readonly mediaType?: unknown; readonly schemaVersion?: unknown } {
  try {
    return Object(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return {};
  }
}

/** A failure in the words of `docker pull`. */
export function pullFailure(error: unknown, ref: Reference): unknown {
  const options = { cause: error };
  if (error instanceof Forbidden) {
    const why = `pull access denied for ${familiarName(ref)}, repository does not exist or may require 'docker login'`;
    return new NotFound(`${why}: ${error.message}`, options);
  }
  if (!(error instanceof NotFound)) return error;
  if (error.message.startsWith("name unknown")) {
    return new NotFound(`repository ${familiarName(ref)} not found: ${error.message}`, options);
  }
  return new NotFound(`manifest for ${familiarString(ref)} not found: ${error.message}`, options);
}
