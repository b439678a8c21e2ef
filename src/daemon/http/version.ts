import { InvalidParameter, NotFound } from "../../spec/index.js";

/**
 * The newest API version served, and the oldest. 1.44 lets the docker command use every flag but those for choosing
 * among platforms of one image (1.48 and later), which a store of single-platform images has no use for.
 */
export const apiVersion = "1.44";
export const minApiVersion = "1.24";

const newest = minor(apiVersion);
const oldest = minor(minApiVersion);

/** A request path without its version. */
export interface VersionedPath {
  readonly path: string;
  /** The N of API version 1.N; the newest when the path has none. */
  readonly version: number;
}

/**
 * Takes `/v1.N` off a path.
 *
 * @throws InvalidParameter: newer than we are, or too old; NotFound: `/vfoo/…`
 */
export function splitVersion(path: string): VersionedPath {
  const match = /^\/v([^/]*)(\/.*)$/.exec(path);
  // `/version` and `/volumes` begin with a v as well.
  if (!match || !/^\d/.test(match[1]!)) return { path, version: newest };
  const [, text = "", rest = ""] = match;
  if (!/^\d+\.\d+$/.test(text)) throw new NotFound("page not found");
  const [major, version] = text.split(".").map(Number) as [number, number];
  if (major > 1 || (major === 1 && version > newest))
    throw new InvalidParameter(`client version ${text} is too new. Maximum supported API version is ${apiVersion}`);
  if (major < 1 || version < oldest)
    throw new InvalidParameter(
      `client version ${text} is too old. Minimum supported API version is ${minApiVersion}, please upgrade your client to a newer version`,
    );
  return { path: rest, version };
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
