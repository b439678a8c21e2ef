import { type Credentials, Unauthorized } from "../spec/index.js";
import { abortable } from "./abortable.js";
import { failureOf } from "./failure.js";
import { followed } from "./follow.js";
import type { AbortOption } from "./options.js";
import { Attempts, persistently } from "./passing.js";
import { Place } from "./place.js";
import type { Shared } from "./shared.js";

/** What a registry said to credentials. */
export interface Login {
  readonly status: string;
  /** A token to be kept in place of the password; "" when the registry has none to give. */
  readonly identityToken: string;
}

/** Tries credentials out. @throws Unauthorized: the registry, or its token service, does not take them */
export async function login(shared: Shared, credentials: Credentials, options: AbortOption = {}): Promise<Login> {
  const host = hostOf(credentials.serveraddress ?? "");
  const { base, authorization } = await Place.ofHost(host, shared, credentials).reach(options);
  const url = new URL("v2/", base);
  const { header, identityToken } = await abortable(authorization.login(), options.signal).catch((error) => {
    throw error instanceof Unauthorized ? new Unauthorized(`Get "${url}": ${error.message}`, { cause: error }) : error;
  });
  const headers = header === undefined ? {} : { authorization: header };
  await persistently(new Attempts(shared, options), async () => {
    const answer = await followed(shared, { method: "GET", url, headers, ...options });
    await answer.discard();
    if (answer.status === 401) {
      throw new Unauthorized(`login attempt to ${url} failed with status: 401 Unauthorized`);
    }
    if (answer.status >= 300) throw await failureOf(answer);
  });
  return { status: "Login Succeeded", identityToken };
}

/** The host of what people log in to: an address of any age, or a host. Docker Hub's is `https://index.docker.io/v1/`. */
export function hostOf(server: string): string {
  const host = server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "" || host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
}
