import { type Digest, parseDigest } from "./digest.js";
import { InvalidParameter } from "./errors.js";

/**
 * An image name: registry, repository, and a tag or a digest. `familiar` forms are as people type them and as
 * repositories.json stores them: `docker.io/` and `library/` left out.
 *
 * @see distribution/reference, regexp.go and normalize.go
 */
export interface Reference {
  /** Registry host with port, `docker.io` when none was given. */
  readonly domain: string;
  /** Repository inside the registry, `library/` included for official images. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const host = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domain = `(?:${host}(?:\\.${host})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const whole = new RegExp(
  `^((?:${domain}/)?${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

/**
 * Parses what a user typed. No default tag is added: see `withDefaultTag`.
 *
 * @throws InvalidParameter: not a reference
 */
export function parseReference(text: string): Reference {
  const invalid = (why: string) =>
    new InvalidParameter(`invalid reference format: ${why}: ${JSON.stringify(text.slice(0, 300))}`);
  if (/^[a-f0-9]{64}$/.test(text)) throw invalid("64 hex digits name an image id, not a repository");
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const named = /[.:[]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const rest = named ? text.slice(slash + 1) : text;
  if (/[A-Z]/.test(rest.split(/[:@]/)[0] ?? "")) throw invalid("repository name must be lowercase");
  const match = whole.exec(named ? text : rest);
  if (!match) throw invalid("want [HOST[:PORT]/]NAME[:TAG][@sha256:HEX]");
  const [, name = "", tag, digest] = match;
  const registry = named ? (first === "index.docker.io" ? "docker.io" : first) : "docker.io";
  let path = named ? name.slice(first.length + 1) : name;
  if (registry === "docker.io" && !path.includes("/")) path = `library/${path}`;
  if (`${registry}/${path}`.length > 255) throw invalid("repository name must not be longer than 255 characters");
  return { domain: registry, path, ...(tag && { tag }), ...(digest && { digest: parseDigest(digest) }) };
}

/** The same with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(ref: Reference): Reference {
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: "latest" } : ref;
}

/**
 * The repository with another tag; tag and digest it had go.
 *
 * @throws InvalidParameter "invalid tag format"
 */
export function withTag({ domain, path }: Reference, tag: string): Reference {
  if (!/^\w[\w.-]{0,127}$/.test(tag))
    throw new InvalidParameter(`invalid tag format: ${JSON.stringify(tag.slice(0, 200))}`);
  return { domain, path, tag };
}

/** Repository as people type it: `busybox`, `user/app`, `localhost:5000/app`. */
export function familiarName({ domain, path }: Reference): string {
  if (domain !== "docker.io") return `${domain}/${path}`;
  const short = path.replace(/^library\//, "");
  return short.includes("/") ? path : short;
}

/** Name with `:tag`, or with `@digest` when it has one (the digest wins, as in repositories.json). */
export function familiarString(ref: Reference): string {
  const name = familiarName(ref);
  return ref.digest ? `${name}@${ref.digest}` : ref.tag ? `${name}:${ref.tag}` : name;
}
