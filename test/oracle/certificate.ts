import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { output } from "./run.js";

/** A key and a certificate of its own for 127.0.0.1, as files and as text (PEM). */
export interface Certificate {
  readonly keyFile: string;
  readonly certFile: string;
  readonly key: string;
  readonly cert: string;
}

/** Makes one in a directory. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const [keyFile, certFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", "/CN=layerkit test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
  await output("openssl", ["req", "-x509", "-days", "2", ...subject, ...key, "-out", certFile]);
  return { keyFile, certFile, key: await readFile(keyFile, "utf8"), cert: await readFile(certFile, "utf8") };
}
