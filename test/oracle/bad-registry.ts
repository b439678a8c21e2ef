import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { type Descriptor, type Digest, mediaTypes, sha256 } from "../../src/spec/index.js";
import { configOf } from "./image-stores.js";
import type { Fault } from "./registry-faults.js";

interface Document {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/**
 * A registry made by hand, on a free port of 127.0.0.1, with what is put into it. It does what is right until it is
 * told to do otherwise.
 */
export class BadRegistry implements AsyncDisposable {
  readonly host: string;
  /** All it was asked, in order. */
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage["headers"];
  }[] = [];
  /** Bytes of blobs it has sent, those that were sent twice counted twice. */
  sent = 0;
  readonly #blobs = new Map<string, Buffer>();
  /** `REPOSITORY DIGEST` of blobs that were brought, or mounted; those that were put in are everywhere. */
  readonly #places = new Set<string>();
  readonly #manifests = new Map<string, Document>();
  readonly #uploads = new Map<string, Buffer>();
  readonly #faults: { readonly like: RegExp; readonly next: () => Fault | undefined }[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<BadRegistry> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const registry = new BadRegistry(server);
    server.on("request", (request, response) => registry.#answer(request, response));
    return registry;
  }

  /** One fault after the other for requests like this (`GET /v2/…`); then all is well again. */
  misbehave(like: RegExp, ...faults: readonly Fault[]): void {
    const left = [...faults];
    this.#faults.push({ like, next: () => left.shift() });
  }

  /** The same fault for all requests like this. */
  alwaysMisbehave(like: RegExp, fault: Fault): void {
    this.#faults.push({ like, next: () => fault });
  }

  addBlob(bytes: Buffer, mediaType: string = mediaTypes.dockerLayerGzip): Descriptor {
    const digest = sha256(bytes);
    this.#blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** @param name `repo:tag` */
  addManifest(name: string, manifest: object | Buffer, mediaType: string = mediaTypes.dockerManifest): Digest {
    const bytes = Buffer.isBuffer(manifest) ? manifest : Buffer.from(JSON.stringify(manifest));
    const [repository, tag] = name.split(":");
    const digest = sha256(bytes);
    for (const key of [tag, digest]) this.#manifests.set(`${repository} ${key}`, { bytes, mediaType });
    return digest;
  }

  /** An image of these layers (tars, bottom first), compressed unless they are given as blobs. @returns its blobs */
  addImage(name: string, layers: readonly Buffer[], blobs = layers.map((layer) => gzipSync(layer))): Descriptor[] {
    const config = this.addBlob(configOf(layers), mediaTypes.dockerConfig);
    const descriptors = blobs.map((blob) => this.addBlob(blob));
    this.addManifest(name, { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers: descriptors });
    return descriptors;
  }

  /** A blob that was brought. */
  blob(digest: string): Buffer | undefined {
    return this.#blobs.get(digest);
  }

  manifest(repository: string, tag: string): Buffer | undefined {
    return this.#manifests.get(`${repository} ${tag}`)?.bytes;
  }

  /** All blobs are gone. */
  forgetBlobs(): void {
    this.#blobs.clear();
    this.#places.clear();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = request;
    this.requests.push({ method, path: url, headers });
    request.on("error", () => {});
    const serve = () => this.#serve(request, response);
    let fault: Fault | undefined;
    for (const { like, next } of this.#faults) if (!fault && like.test(`${method} ${url}`)) fault = next();
    if (fault) fault(request, response, serve);
    else serve();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "", "http://x");
    const [, repository = "", kind, what = ""] = /^\/v2\/(.*?)\/(manifests|blobs|tags)\/(.*)$/.exec(url.pathname) ?? [];
    if (url.pathname === "/v2/") end(response, 200);
    else if (kind === "tags") this.#tags(repository, url, response);
    else if (kind === "manifests" && request.method === "PUT")
      void this.#putManifest(request, response, `${repository} ${what}`);
    else if (kind === "manifests") this.#manifest(repository, what, response);
    else if (url.searchParams.has("mount") && this.#isMounted(repository, url)) end(response, 201);
    else if (kind === "blobs" && what.startsWith("uploads/")) void this.#upload(request, response, url);
    else if (kind === "blobs") this.#blob(request, response, repository, what);
    else end(response, 404);
  }

  #manifest(repository: string, what: string, response: ServerResponse): void {
    const found = this.#manifests.get(`${repository} ${what}`);
    if (found) {
      response.setHeader("content-type", found.mediaType).setHeader("docker-content-digest", sha256(found.bytes));
      response.setHeader("content-length", found.bytes.length).end(found.bytes);
    } else failed(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
  }

  async #putManifest(request: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
    const chunks = await request.toArray();
    const mediaType = request.headers["content-type"] ?? "";
    this.#manifests.set(key, { bytes: Buffer.concat(chunks as Buffer[]), mediaType });
    end(response, 201);
  }

  #isMounted(repository: string, { searchParams }: URL): boolean {
    const [digest, from] = [searchParams.get("mount"), searchParams.get("from")];
    if (!this.#places.has(`${from} ${digest}`)) return false;
    this.#places.add(`${repository} ${digest}`);
    return true;
  }

  #isIn(repository: string, digest: string): boolean {
    const brought = [...this.#places].some((place) => place.endsWith(digest));
    return !brought || this.#places.has(`${repository} ${digest}`);
  }

  #blob({ method, headers }: IncomingMessage, response: ServerResponse, repository: string, digest: string): void {
    const whole = this.#isIn(repository, digest) ? this.#blobs.get(digest) : undefined;
    if (whole) {
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
      if (from > 0) response.setHeader("content-range", `bytes ${from}-${whole.length - 1}/${whole.length}`);
      response.writeHead(from > 0 ? 206 : 200, { "content-length": whole.length - from });
      if (method !== "HEAD") this.sent += whole.length - from;
      response.end(method === "HEAD" ? undefined : whole.subarray(from));
    } else failed(response, 404, "BLOB_UNKNOWN", "blob unknown to registry");
  }

  /** Two tags a page. */
  #tags(repository: string, url: URL, response: ServerResponse): void {
    const keys = [...this.#manifests.keys()].filter(
      (key) => key.startsWith(`${repository} `) && !key.includes("sha256:"),
    );
    const names = keys.map((key) => key.slice(repository.length + 1)).sort();
    const rest = names.filter((name) => name > (url.searchParams.get("last") ?? ""));
    const tags = rest.slice(0, 2);
    if (rest.length > 2) response.setHeader("link", `<${url.pathname}?n=2&last=${tags.at(-1)}>; rel="next"`);
    response.end(JSON.stringify({ name: repository, tags }));
  }

  /** Keeps what came of an upload that was cut, and tells how much that is. */
  async #upload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const id = request.method === "POST" ? randomUUID() : (url.pathname.split("/").at(-1) ?? "");
    if (request.method === "POST") this.#uploads.set(id, Buffer.alloc(0));
    const lost = !this.#uploads.has(id);
    await this.#keep(request, id);
    const has = this.#uploads.get(id) ?? Buffer.alloc(0);
    const digest = url.searchParams.get("digest");
    const wrong = request.method === "PUT" && digest !== sha256(has);
    if (lost) failed(response, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    else if (wrong) failed(response, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    if (lost || wrong) return;
    if (request.method === "PUT") {
      this.#blobs.set(digest ?? "", has);
      this.#places.add(`${/^\/v2\/(.*)\/blobs\//.exec(url.pathname)?.[1]} ${digest}`);
    }
    const at = `${url.pathname.replace(/uploads\/.*/, "uploads/")}${id}`;
    response.setHeader("location", at).setHeader("range", `0-${Math.max(0, has.length - 1)}`);
    end(response, request.method === "PUT" ? 201 : request.method === "GET" ? 204 : 202);
  }

  async #keep(request: IncomingMessage, id: string): Promise<void> {
    const kept = [this.#uploads.get(id) ?? Buffer.alloc(0)];
    request.on("data", (chunk: Buffer) => kept.push(chunk));
    await once(request, "close").catch(() => {});
    this.#uploads.set(id, Buffer.concat(kept));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-length": 0 }).end();
}

function failed(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify({ errors: [{ code, message }] }));
}
