import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Undo } from "../../src/spec/index.js";
import { makeCertificate } from "./certificate.js";
import { program } from "./programs.js";
import { output } from "./run.js";
import { TokenService } from "./token-service.js";

export interface RegistryOptions {
  /** Whether it wants the tests' `user`, by basic authentication or by tokens. */
  readonly auth?: "basic" | "token";
  /** Speaks TLS, with a certificate that nobody knows. */
  readonly tls?: boolean;
  /** Gives blobs and manifests of this base URL, and keeps them. */
  readonly proxy?: string;
}

/** bcrypt of the password of the tests' `user`. */
const htpasswd = "layerkit:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

/** A real registry (Debian: docker-registry) on a free port of 127.0.0.1; what it holds is gone with it. */
export class Registry implements AsyncDisposable {
  /** `127.0.0.1:PORT`, as images are named after it. */
  readonly host: string;
  /** Gives the tokens, with `auth: "token"`. */
  readonly tokens: TokenService | undefined;
  readonly #process: ChildProcess;
  readonly #undo: Undo;
  readonly #said: { text: string };

  private constructor(host: string, process: ChildProcess, said: { text: string }, undo: Undo, tokens?: TokenService) {
    this.host = host;
    this.tokens = tokens;
    this.#process = process;
    this.#said = said;
    this.#undo = undo;
  }

  /** Resolves when it listens. */
  static async start(options: RegistryOptions = {}): Promise<Registry> {
    const undo = new Undo();
    await using failed = new Undo();
    failed.defer(() => undo[Symbol.asyncDispose]());
    const directory = await mkdtemp(join(tmpdir(), "layerkit-registry-"));
    undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    const { config, tokens } = await configOf(directory, options);
    if (tokens) undo.defer(() => tokens[Symbol.asyncDispose]());
    await writeFile(join(directory, "config.json"), JSON.stringify(config));
    const child = spawn(program("docker-registry"), ["serve", join(directory, "config.json")], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    undo.defer(() => ended(child));
    const said = { text: "" };
    const host = await listening(child, said);
    failed.done();
    return new Registry(host, child, said, undo, tokens);
  }

  /** Brings a docker archive there under `NAME:TAG`. @returns the whole reference */
  async fill(archive: string, name: string, more: readonly string[] = []): Promise<string> {
    const to = `${this.host}/${name}`;
    await output("skopeo", [
      "copy",
      "-q",
      "--dest-tls-verify=false",
      ...more,
      `docker-archive:${archive}`,
      `docker://${to}`,
    ]);
    return to;
  }

  /** What it was asked, and how it answered: `GET /v2/ 200`, in order; uploads without their names. */
  get requests(): string[] {
    const served = this.#said.text.matchAll(/"([A-Z]+ \S+) HTTP\/1\.1" (\d+) /g);
    return [...served].map(([, what = "", status]) => `${what.replace(/(uploads\/)[^/]+$/, "$1")} ${status}`);
  }

  /** Stops answering, with connections left open; `SIGCONT` lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]();
  }
}

async function configOf(directory: string, { auth, tls, proxy }: RegistryOptions) {
  const certificate = auth === "token" || tls ? await makeCertificate(directory) : undefined;
  const tokens = auth === "token" && certificate ? await TokenService.start(certificate) : undefined;
  if (auth === "basic") await writeFile(join(directory, "htpasswd"), htpasswd);
  const token = tokens && { realm: tokens.realm, service: "test registry", issuer: "layerkit test" };
  const config = {
    version: "0.1",
    log: { level: "info" },
    storage: { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } },
    http: {
      addr: "127.0.0.1:0",
      secret: "shared",
      ...(tls && certificate && { tls: { certificate: certificate.certFile, key: certificate.keyFile } }),
    },
    ...(auth === "basic" && { auth: { htpasswd: { realm: "test registry", path: join(directory, "htpasswd") } } }),
    ...(token && certificate && { auth: { token: { ...token, rootcertbundle: certificate.certFile } } }),
    ...(proxy !== undefined && { proxy: { remoteurl: proxy } }),
  };
  return { config, tokens };
}

/** @returns where it listens, once it does */
function listening(child: ChildProcess, said: { text: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      said.text += chunk.toString();
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(said.text)?.[1];
      if (address) resolve(address);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`docker-registry ended: ${said.text.slice(-2000)}`)));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
