import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dockerArchive } from "../../test/oracle/image-archives.js";
import { configOf, gathered, layerTar } from "../../test/oracle/image-stores.js";
import { lacking } from "../../test/oracle/programs.js";
import { Registry, type RegistryOptions } from "../../test/oracle/registry.js";
import { output } from "../../test/oracle/run.js";
import { type Scratch, scratch } from "../../test/oracle/scratch.js";
import { refreshToken, user } from "../../test/oracle/token-service.js";
import { type Manifest, mediaTypes, sha256 } from "../spec/index.js";
import { Client } from "./client.test.tools.js";
import type { Repository } from "./index.js";

const skip = lacking("docker-registry", "skopeo", "openssl") !== undefined;

const layer = layerTar({ a: randomBytes(300_000) });
const config = configOf([layer]);
const kinds: readonly (readonly [string, RegistryOptions])[] = [
  ["open to all", {}],
  ["with basic authentication", { auth: "basic" }],
  ["with tokens", { auth: "token" }],
  ["with TLS and tokens", { auth: "token", tls: true }],
];

async function manifestOf(repository: Repository, tag: string): Promise<Manifest> {
  return JSON.parse(Buffer.from((await repository.resolve(tag)).bytes).toString()) as Manifest;
}

let directory: Scratch;
let archive: string;
beforeAll(async () => {
  directory = await scratch();
  archive = join(directory.path, "image.tar");
  await writeFile(archive, dockerArchive([{ layers: [layer], config, tags: ["app:1"] }]));
});
afterAll(() => directory[Symbol.asyncDispose]());

describe.skipIf(skip).concurrent.for(kinds)("a registry %s", ([, options]) => {
  const credentials = options.auth && user;
  const may = options.auth ? ["--dest-creds", `${user.username}:${user.password}`] : [];
  let registry: Registry;
  let client: Client;
  beforeAll(async () => {
    registry = await Registry.start(options);
    client = new Client();
    await registry.fill(archive, "app:1", may);
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });
  const at = (path: string, purpose?: "pull" | "push") =>
    client.repository(`${registry.host}/${path}`, credentials, purpose);

  test("gives what skopeo brought", async () => {
    const app = at("app");
    const { descriptor, bytes } = await app.resolve("1");
    expect(descriptor).toEqual({ mediaType: mediaTypes.dockerManifest, digest: sha256(bytes), size: bytes.length });
    expect(await app.resolve(descriptor.digest)).toEqual({ descriptor, bytes });
    const manifest = await manifestOf(app, "1");
    expect(await gathered(app.blob(manifest.config))).toEqual(config);
    expect(layer.equals(gunzipSync(await gathered(app.blob(manifest.layers[0]!))))).toBe(true);
    expect(await app.tags()).toEqual(["1"]);
  });

  test("takes what skopeo gets again", async () => {
    const [app, copy] = [at("app"), at("team/copy", "push")];
    const manifest = await manifestOf(app, "1");
    const [blob] = manifest.layers;
    expect(await copy.sizeOf(blob!.digest)).toBeUndefined();
    expect(await copy.mount(blob!.digest, "app")).toBe(true);
    expect(await copy.sizeOf(blob!.digest)).toBe(blob!.size);
    expect(await copy.mount(sha256("nothing"), "app")).toBe(false);
    await copy.upload(() => app.blob(manifest.config), { blob: manifest.config });
    const more = randomBytes(2_000_000);
    const sent = await copy.upload(async function* () {
      for (let from = 0; from < more.length; from += 65_536) yield more.subarray(from, from + 65_536);
    });
    expect(sent).toEqual({ digest: sha256(more), size: more.length });
    expect(more.equals(await gathered(copy.blob({ ...sent, mediaType: "" })))).toBe(true);
    const { descriptor, bytes } = await app.resolve("1");
    expect(await copy.putManifest("2", descriptor.mediaType, bytes)).toBe(descriptor.digest);
    const read = ["--src-tls-verify=false", ...may.map((word) => word.replace("dest", "src"))];
    const copied = `dir:${join(directory.path, registry.host.replace(/.*:/, "copy-"))}`;
    await output("skopeo", ["copy", "-q", ...read, `docker://${registry.host}/team/copy:2`, copied]);
  });

  test("says what is not there", async () => {
    await expect(at("app").resolve("none")).rejects.toMatchObject({
      code: "not-found",
      message: `manifest for ${registry.host}/app:none not found: manifest unknown: manifest unknown`,
    });
    await expect(at("none").tags()).rejects.toMatchObject({
      code: "not-found",
      message: `repository ${registry.host}/none not found: name unknown: repository name not known to registry`,
    });
  });

  test.skipIf(!options.auth)("refuses strangers, and takes those it knows", async () => {
    const wrong = { ...user, password: "guess" };
    const refusal = { code: "unauthorized" };
    const denied = `pull access denied for ${registry.host}/app, repository does not exist or may require 'docker login'`;
    const nobody =
      options.auth === "basic" ? "no basic auth credentials" : `${denied}: denied: requested access to the`;
    await expect(client.repository(`${registry.host}/app`).resolve("1")).rejects.toThrow(nobody);
    await expect(client.repository(`${registry.host}/app`, wrong).resolve("1")).rejects.toMatchObject(refusal);
    const serveraddress = registry.host;
    await expect(client.registries.login({ ...wrong, serveraddress })).rejects.toMatchObject(refusal);
    const { status, identityToken } = await client.registries.login({ ...user, serveraddress });
    expect([status, identityToken]).toEqual(["Login Succeeded", options.auth === "token" ? refreshToken : ""]);
  });
});

describe.skipIf(skip)("tokens", () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await Registry.start({ auth: "token" });
    await registry.fill(archive, "app:1", ["--dest-creds", `${user.username}:${user.password}`]);
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  const asked = () => registry.tokens!.requests.splice(0).map(({ method, scopes, who }) => [method, who, ...scopes]);

  test("are fetched once for all who need them, and again when they end", async () => {
    await using client = new Client();
    const app = client.repository(`${registry.host}/app`, user);
    asked();
    await Promise.all([app.resolve("1"), app.resolve("1"), app.tags()]);
    const once = ["GET", "layerkit", "repository:app:pull"];
    expect(asked()).toEqual([once]);
    client.now += 289_000;
    await app.resolve("1");
    expect(asked()).toEqual([]);
    client.now += 2_000;
    await app.resolve("1");
    expect(asked()).toEqual([once]);
  });

  test("are asked for by OAuth2 where there is an identity token", async () => {
    await using client = new Client();
    asked();
    await client.repository(`${registry.host}/app`, { identitytoken: refreshToken }).resolve("1");
    expect(asked()).toEqual([["POST", "refresh", "repository:app:pull"]]);
    const stale = client.repository(`${registry.host}/app`, { identitytoken: "stale" });
    await expect(stale.resolve("1")).rejects.toThrow("unauthorized: incorrect username or password");
  });

  test("for a mount ask for both repositories", async () => {
    await using client = new Client();
    const copy = client.repository(`${registry.host}/copy`, user, "push");
    asked();
    await copy.mount(sha256("nothing"), "app");
    expect(asked()).toEqual([["GET", "layerkit", "repository:copy:pull,push", "repository:app:pull"]]);
  });
});
