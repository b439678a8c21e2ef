/** What a registry is told of who asks: Docker's AuthConfig, in the wire's spelling. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly serveraddress?: string;
  /** An OAuth2 refresh token: what `docker login` keeps where the registry gives one. */
  readonly identitytoken?: string;
  /** A bearer token as it is, sent to the registry unasked. */
  readonly registrytoken?: string;
}

const keys = ["username", "password", "serveraddress", "identitytoken", "registrytoken"] as const;

/** The value of an `X-Registry-Auth` header: base64 of JSON in the URL alphabet, padded. */
export function registryAuth(credentials: Credentials): string {
  return Buffer.from(credentialsJSON(credentials)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/**
 * Credentials out of an `X-Registry-Auth` header, of either alphabet, padded or not. As in Docker a value that cannot
 * be read is nobody's, and so is none.
 */
export function parseRegistryAuth(header: string | undefined): Credentials | undefined {
  if (!header) return undefined;
  try {
    return credentialsIn(JSON.parse(Buffer.from(header, "base64").toString()));
  } catch {
    return undefined;
  }
}

/** What of `value` are credentials; undefined when it has none. */
export function credentialsIn(value: unknown): Credentials | undefined {
  if (value === null || typeof value !== "object") return undefined;
  const object = value as Readonly<Record<string, unknown>>;
  const given = keys.filter((key) => typeof object[key] === "string" && object[key] !== "");
  const whose = given.some((key) => key !== "serveraddress");
  return whose ? Object.fromEntries(given.map((key) => [key, object[key]])) : undefined;
}

/** The JSON that Docker writes of them: what is empty is left out. */
export function credentialsJSON(credentials: Credentials): string {
  return JSON.stringify(Object.fromEntries(keys.flatMap((key) => (credentials[key] ? [[key, credentials[key]]] : []))));
}
