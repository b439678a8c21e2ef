import { credentialsFor } from "../registry/credentials/index.js";
import { type Reference, registryAuth } from "../spec/index.js";

/** The header by which the daemon can tell a registry who asks; none where the user has nothing for that registry. */
export async function authHeader({ domain }: Pick<Reference, "domain">): Promise<Record<string, string>> {
  const credentials = await credentialsFor(domain);
  return credentials ? { "X-Registry-Auth": registryAuth(credentials) } : {};
}
