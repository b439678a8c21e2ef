import { mkdir, writeFile } from "node:fs/promises";
import { createServer as createPlain } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BadRegistry } from "../../test/oracle/bad-registry.js";
import { makeCertificate } from "../../test/oracle/certificate.js";
import { lacking } from "../../test/oracle/programs.js";
import { answers } from "../../test/oracle/registry-faults.js";
import { scratch } from "../../test/oracle/scratch.js";
import { Undo } from "../spec/index.js";
import { Client } from "./client.test.tools.js";
import { Connections } from "./connections.js";
import { followed } from "./follow.js";
import { InsecureHosts } from "./insecure-hosts.js";
import { sharedOf } from "./shared.js";

/** A server of one sentence, and connections that keep to certificates. */
async function served(tls?: ServerOptions) {
  const undo = new Undo();
  const directory = await scratch();
  undo.defer(() => directory[Symbol.asyncDispose]());
  const certificate = await makeCertificate(directory.path);
  const server = tls ? createServer({ ...certificate, ca: certificate.cert, ...tls }) : createPlain();
  undo.defer(() => new Promise((resolve) => server.close(resolve)));
  undo.defer(() => server.closeAllConnections());
  server.on("request", (_request, response) => response.end("hello"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const certificates = join(directory.path, "certs.d");
  const connections = new Connections({ userAgent: "test", silenceMs: 5000, certificates });
  undo.defer(() => connections.close());
  const ask = async (insecure = false) => {
    const answer = await connections.exchange({ method: "GET", url: new URL(`https://${host}/v2/`) }, insecure);
    await answer.discard();
    return answer.status;
  };
  const own = join(certificates, host);
  return { ask, host, own, certificate, [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose]() };
}

describe.skipIf(lacking("openssl")).concurrent("a certificate", () => {
  test("of nobody known is refused, unless any will do", async () => {
    await using it = await served({});
    const why = new RegExp(
      `^Get "https://${it.host}/v2/": tls: failed to verify certificate: .*certs\\.d.*insecure-reg`,
    );
    await expect(it.ask()).rejects.toThrow(why);
    expect(await it.ask(true)).toBe(200);
  });

  test("is taken where the host's own directory has its authority", async () => {
    await using it = await served({});
    await mkdir(it.own, { recursive: true });
    await writeFile(join(it.own, "ca.crt"), it.certificate.cert);
    expect(await it.ask()).toBe(200);
  });

  test("of ours is shown to the host whose directory has it", async () => {
    await using it = await served({ requestCert: true, rejectUnauthorized: true });
    await expect(it.ask(true)).rejects.toThrow();
    await mkdir(it.own, { recursive: true });
    await writeFile(join(it.own, "ca.crt"), it.certificate.cert);
    await writeFile(join(it.own, "client.cert"), it.certificate.cert);
    await expect(it.ask()).rejects.toThrow(/^cannot use the certificates in .*ENOENT/);
    await writeFile(join(it.own, "client.key"), it.certificate.key);
    expect(await it.ask()).toBe(200);
  });

  test("is not to be had where there is plain http", async () => {
    await using it = await served();
    const why = `Get "https://${it.host}/v2/": http: server gave HTTP response to HTTPS client`;
    await expect(it.ask()).rejects.toThrow(why);
  });
});

describe("hosts that need no certificate", () => {
  const hosts = new InsecureHosts(["registry.example:5000", "Other.example", "10.1.0.0/16", "fd00::/8"]);
  test.for([
    ["127.0.0.1:5000", true],
    ["127.9.9.9", true],
    ["[::1]:5000", true],
    ["localhost:5000", true],
    ["registry.example:5000", true],
    ["registry.example", false],
    ["registry.example:5001", false],
    ["other.example:443", true],
    ["10.1.2.3:5000", true],
    ["10.2.2.3:5000", false],
    ["[fd12::1]:80", true],
    ["[fe80::1]:80", false],
    ["docker.io", false],
  ] as const)("%s: %s", async ([host, is]) => {
    expect(await hosts.includes(host)).toBe(is);
  });

  test.for(["10.0.0.0/33", "10.0.0/8", "x/8", "fd00::/129", "10.0.0.0/"])("%s is no network", (network) => {
    expect(() => new InsecureHosts([network])).toThrow(`insecure registry ${network} is invalid`);
  });
});

test("nobody is sent from https to plain http, but where that is allowed", async () => {
  const shared = sharedOf({});
  const answer = { status: 302, url: new URL("https://registry.example/"), header: () => "http://other.example/" };
  const exchange = async () => ({ ...answer, body: async function* () {}, discard: async () => {} });
  const connections = Object.assign(shared.connections, { exchange });
  const ask = followed({ ...shared, connections }, { method: "GET", url: answer.url });
  await expect(ask).rejects.toThrow("redirected from https to http://other.example, which is not encrypted");
});

describe("mirrors", () => {
  test("are others from now on, when configured so", async () => {
    await using old = await BadRegistry.start();
    await using mirror = await BadRegistry.start();
    const digest = mirror.addManifest("library/app:1", { schemaVersion: 2 });
    await using client = new Client({ mirrors: [`http://${old.host}`] });
    client.registries.configure({ mirrors: [`http://${mirror.host}`] });
    expect(() => client.registries.configure({ mirrors: ["x"] })).toThrow("invalid mirror");
    const { descriptor } = await client.repository("docker.io/library/app").resolve("1");
    expect([descriptor.digest, old.requests.length]).toEqual([digest, 0]);
  });

  test("are asked in turn, and are not told who asks", async () => {
    await using broken = await BadRegistry.start();
    await using curious = await BadRegistry.start();
    await using mirror = await BadRegistry.start();
    broken.alwaysMisbehave(/./, answers(500));
    curious.alwaysMisbehave(/./, answers(401, { "www-authenticate": 'Basic realm="x"' }));
    const digest = mirror.addManifest("library/app:1", { schemaVersion: 2 });
    const mirrors = [broken, curious, mirror].map(({ host }) => `http://${host}`);
    await using client = new Client({ mirrors });
    const app = client.repository("docker.io/library/app", { username: "u", password: "p" });
    expect((await app.resolve("1")).descriptor.digest).toBe(digest);
    expect(client.pauses).toEqual([]);
    const told = [broken, curious, mirror].flatMap(({ requests }) =>
      requests.map(({ headers }) => headers.authorization),
    );
    expect(told).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("have to be addresses", () => {
    expect(() => sharedOf({ mirrors: ["registry.example"] })).toThrow(
      "invalid mirror: want http://HOST or https://HOST",
    );
  });
});
