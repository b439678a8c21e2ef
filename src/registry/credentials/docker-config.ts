import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Credentials, credentialsIn, InvalidParameter, isErrno, messageOf } from "../../spec/index.js";
import { askHelper } from "./helper.js";

interface DockerConfig {
  readonly auths?: Readonly<Record<string, unknown>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** What Docker Hub is called where credentials are kept. */
const hub = "https://index.docker.io/v1/";

/**
 * What the user has for a registry: from its own helper (`credHelpers`), from the one for all (`credsStore`), or from
 * the file (`auths`).
 *
 * @param domain as in references: `docker.io`, `registry.example:5000`
 * @param directory where `config.json` is; `$DOCKER_CONFIG`, or `~/.docker`, unless given
 * @returns undefined where nothing is known of the registry
 * @throws InvalidParameter: the file cannot be understood; Unavailable: the helper fails
 */
export async function credentialsFor(
  domain: string,
  directory = process.env.DOCKER_CONFIG || join(homedir(), ".docker"),
): Promise<Credentials | undefined> {
  const file = join(directory, "config.json");
  const { auths = {}, credsStore, credHelpers = {} } = await configIn(file);
  const server = domain === "docker.io" ? hub : domain;
  const helper = credHelpers[server] ?? credHelpers[domain] ?? credsStore;
  if (helper) return withServer(await askHelper(helper, server), server);
  const entry = auths[server] ?? Object.entries(auths).find(([key]) => hostOf(key) === hostOf(server))?.[1];
  return withServer(credentialsOf(entry, file), server);
}

async function configIn(file: string): Promise<DockerConfig> {
  try {
    const config: unknown = JSON.parse(await readFile(file, "utf8"));
    return config !== null && typeof config === "object" ? config : {};
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return {};
    throw new InvalidParameter(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Old entries are addresses: `https://registry.example/v1/`. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

/** @param entry one of `auths`: `auth` is base64 of `user:password` */
function credentialsOf(entry: unknown, file: string): Credentials | undefined {
  const { auth } = (entry ?? {}) as { readonly auth?: unknown };
  if (typeof auth !== "string" || auth === "") return credentialsIn(entry);
  const plain = Buffer.from(auth, "base64").toString().replace(/\0+$/, "");
  const colon = plain.indexOf(":");
  if (colon < 0) throw new InvalidParameter(`${file} has an auth that is not base64 of USER:PASSWORD`);
  return credentialsIn({ ...(entry as object), username: plain.slice(0, colon), password: plain.slice(colon + 1) });
}

function withServer(credentials: Credentials | undefined, serveraddress: string): Credentials | undefined {
  return credentials && { ...credentials, serveraddress };
}
