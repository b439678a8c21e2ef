import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { isErrno, messageOf, Unavailable } from "../spec/index.js";

/** Where distributions keep the certificates that this machine trusts. */
const systemBundles = [
  process.env.SSL_CERT_FILE,
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * What TLS with a host goes by that has a directory of certificates of its own; undefined for others.
 *
 * @param directory as Docker's `certs.d`: in `HOST[:PORT]/`, authorities in `*.crt`, our certificates in `*.cert`,
 * their keys in `*.key` of the same name
 */
export async function ownTrust(host: string, directory: string): Promise<SecureContext | undefined> {
  const files = await namesIn(join(directory, host));
  if (files.length === 0) return undefined;
  const read = (name: string) => readFile(join(directory, host, name), "utf8");
  try {
    const authorities = await Promise.all(files.filter((name) => name.endsWith(".crt")).map(read));
    const ours = files.filter((name) => name.endsWith(".cert"));
    const cert = await Promise.all(ours.map(read));
    const key = await Promise.all(ours.map((name) => read(name.replace(/\.cert$/, ".key"))));
    return createSecureContext({ ca: [...(await systemAuthorities()), ...authorities], cert, key });
  } catch (error) {
    throw new Unavailable(`cannot use the certificates in ${join(directory, host)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** For hosts of which nothing is asked: reading all authorities takes tens of milliseconds. */
export function noTrust(): SecureContext {
  return createSecureContext({ ca: [] });
}

/** What TLS with all other hosts goes by. */
export async function systemTrust(): Promise<SecureContext> {
  return createSecureContext({ ca: await systemAuthorities() });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => /\.(crt|cert|key)$/.test(name)).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** As dockerd does, what the machine trusts; what Node brings along only where that is not to be found. */
async function systemAuthorities(): Promise<string[]> {
  for (const file of systemBundles) {
    const bundle = file ? await readFile(file, "utf8").catch(() => "") : "";
    if (bundle !== "") return [bundle];
  }
  return [...rootCertificates];
}
