import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BadRegistry } from "../../test/oracle/bad-registry.js";
import { gathered, layerTar } from "../../test/oracle/image-stores.js";
import {
  answers,
  cutsAfter,
  type Fault,
  floods,
  garbles,
  ignoresRange,
  isSilent,
  redirects,
  saysLength,
  stallsAfter,
  takesOnly,
} from "../../test/oracle/registry-faults.js";
import { mediaTypes, sha256 } from "../spec/index.js";
import { badRegistry } from "./client.test.tools.js";

const content = randomBytes(3_000_000);
const blobPath = /^GET .*\/blobs\//;
const manifestPath = /^GET .*\/manifests\//;

describe.concurrent("a download", () => {
  test("goes on where it was cut", async () => {
    await using it = await badRegistry();
    const blob = it.registry.addBlob(content);
    it.registry.misbehave(blobPath, cutsAfter(1_000_000), cutsAfter(500_000));
    const retries: unknown[] = [];
    const onRetry = (why: Error, offset: number) => retries.push([why.message, offset]);
    expect(content.equals(await gathered(it.app.blob(blob, { onRetry })))).toBe(true);
    const ranges = it.registry.requests
      .filter(({ path }) => path.includes("/blobs/"))
      .map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, "bytes=1000000-", "bytes=1500000-"]);
    const cut = `Get "http://${it.registry.host}/v2/app/blobs/${blob.digest}": the connection was cut`;
    expect(retries).toEqual([
      [cut, 1_000_000],
      [cut, 1_500_000],
    ]);
    expect(it.client.pauses).toEqual([500, 1000]);
  });

  test("is put together where the registry knows no ranges", async () => {
    await using it = await badRegistry();
    const blob = it.registry.addBlob(content);
    it.registry.misbehave(blobPath, cutsAfter(1_000_000), ignoresRange);
    expect(content.equals(await gathered(it.app.blob(blob)))).toBe(true);
  });

  test("that comes through in pieces is never too often cut", async () => {
    await using it = await badRegistry({ attempts: 2 });
    const large = randomBytes(10 * 1024 * 1024);
    const blob = it.registry.addBlob(large);
    it.registry.alwaysMisbehave(blobPath, cutsAfter(1024 * 1024));
    expect(large.equals(await gathered(it.app.blob(blob)))).toBe(true);
    expect(it.client.pauses).toEqual(new Array(9).fill(500));
  });

  test.for([
    ["is cut each time", cutsAfter(1000), /^Get "http:.*: the connection was cut$/, 5],
    ["stalls each time", stallsAfter(1000), /^Get "http:.*: nothing more came in time$/, 2],
    ["is never answered", isSilent, /^Get "http:.*: no answer in time$/, 1],
    ["is answered with 500", answers(500), /^127\.0\.0\.1:\d+ answered 500 for \/v2\/app\/blobs\/sha256:\w+$/, 5],
    ["is answered with 502 and a page", answers(502, {}, "<html>\nBad"), /answered 502 for \/v2\/app\/blobs\/\S+$/, 5],
  ] as const)("that %s ends with one line", async ([, fault, why, attempts]) => {
    await using it = await badRegistry({ attempts, silenceMs: 60 });
    const blob = it.registry.addBlob(content);
    it.registry.alwaysMisbehave(blobPath, fault);
    await expect(gathered(it.app.blob(blob))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(why),
    });
    expect(it.registry.requests.filter(({ path }) => path.includes("/blobs/"))).toHaveLength(attempts);
  });

  test.for([
    ["other bytes", garbles, /^blob sha256:\w+: expected sha256:\w+, read sha256:\w+$/],
    ["fewer bytes", saysLength(1000), /^sha256:\w+: 127\.0\.0\.1:\d+ has 1000 bytes of it, it should have 3000000$/],
    ["more bytes", saysLength(4_000_000), /has 4000000 bytes of it, it should have 3000000$/],
    ["bytes without end", floods({}), /^blob sha256:\w+: more than the 3000000 bytes it should have$/],
  ] as const)("of %s is refused, and not tried again", async ([, fault, why]) => {
    await using it = await badRegistry();
    const blob = it.registry.addBlob(content);
    it.registry.misbehave(blobPath, fault);
    await expect(gathered(it.app.blob(blob))).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringMatching(why),
    });
    expect(it.client.pauses).toEqual([]);
  });

  test("that nobody reads on ends its connection", async () => {
    await using it = await badRegistry();
    const blob = it.registry.addBlob(content);
    let closed = (_: unknown) => {};
    const isClosed = new Promise((resolve) => (closed = resolve));
    it.registry.misbehave(blobPath, (request, response) => {
      request.socket.once("close", closed);
      floods({ "content-length": `${content.length}` })(request, response, () => {});
    });
    for await (const _ of it.app.blob(blob)) break;
    await isClosed;
  });

  test("stops at once by its signal, with the signal's reason, wherever it is", async () => {
    for (const fault of [isSilent, stallsAfter(1000), answers(503)] as Fault[]) {
      await using it = await badRegistry({ silenceMs: 60_000 });
      const blob = it.registry.addBlob(content);
      const abort = new AbortController();
      it.registry.misbehave(blobPath, (...call) => {
        fault(...call);
        setImmediate(() => abort.abort(new Error("enough")));
      });
      const read = gathered(
        it.app.blob(blob, { signal: abort.signal, onRetry: () => abort.abort(new Error("enough")) }),
      );
      await expect(read).rejects.toThrow("enough");
    }
  });

  test("of a foreign layer comes from its urls where the registry has it not", async () => {
    await using it = await badRegistry();
    await using elsewhere = await BadRegistry.start();
    const { size, digest, mediaType } = elsewhere.addBlob(content);
    const urls = [
      "ftp://registry.example/x",
      `http://${elsewhere.host}/gone`,
      `http://${elsewhere.host}/v2/x/blobs/${digest}`,
    ];
    expect(content.equals(await gathered(it.app.blob({ size, digest, mediaType, urls })))).toBe(true);
    await expect(gathered(it.app.blob({ size, digest, mediaType }))).rejects.toMatchObject({ code: "not-found" });
  });
});

describe.concurrent("waiting", () => {
  test("lasts as long as the registry asks for", async () => {
    await using it = await badRegistry();
    it.registry.addImage("app:1", [layerTar({ a: "1" })]);
    const until = new Date(Date.now() + 30_000).toUTCString();
    it.registry.misbehave(manifestPath, answers(429, { "retry-after": "7" }), answers(503, { "retry-after": until }));
    await it.app.resolve("1");
    expect(it.client.pauses[0]).toBe(7000);
    expect(it.client.pauses[1]).toBeGreaterThan(20_000);
  });

  test("is not for hours", async () => {
    await using it = await badRegistry();
    const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}';
    it.registry.misbehave(manifestPath, answers(429, { "retry-after": "21600" }, body));
    await expect(it.app.resolve("1")).rejects.toThrow("toomanyrequests: You have reached your pull rate limit.");
    expect(it.client.pauses).toEqual([]);
  });

  test("doubles", async () => {
    await using it = await badRegistry();
    it.registry.alwaysMisbehave(manifestPath, answers(500));
    await expect(it.app.resolve("1")).rejects.toThrow(/answered 500 for \/v2\/app\/manifests\/1$/);
    expect(it.client.pauses).toEqual([500, 1000, 2000, 4000]);
  });
});

describe.concurrent("a manifest", () => {
  test.for([
    [
      "of 100 MB that says so",
      { "content-length": "100000000" },
      /^manifest of 127\S+ has 100000000 bytes; 4194304 are allowed$/,
    ],
    ["without end", {}, /^manifest of 127\S+ has more than 4194304 bytes; 4194304 are allowed$/],
  ] as const)("%s is not read", async ([, headers, why]) => {
    await using it = await badRegistry();
    it.registry.misbehave(manifestPath, floods(headers));
    await expect(it.app.resolve("1")).rejects.toThrow(why);
  });

  test("that is cut is asked for again", async () => {
    await using it = await badRegistry({ silenceMs: 500 });
    it.registry.addImage("app:1", [layerTar({ a: "1" })]);
    it.registry.misbehave(manifestPath, cutsAfter(20), stallsAfter(20));
    expect((await it.app.resolve("1")).bytes.length).toBeGreaterThan(20);
    expect(it.client.pauses).toEqual([500, 1000]);
  });

  test("that is not what its digest says is refused", async () => {
    await using it = await badRegistry();
    const digest = it.registry.addManifest("app:1", { schemaVersion: 2 });
    it.registry.misbehave(manifestPath, garbles, garbles);
    await expect(it.app.resolve("1")).rejects.toMatchObject({ code: "data-loss", expected: digest });
    await expect(it.app.resolve(digest)).rejects.toMatchObject({ code: "data-loss", expected: digest });
  });

  test("of schema 1, or of something else, is refused in one line", async () => {
    await using it = await badRegistry();
    const signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    it.registry.addManifest("app:old", { schemaVersion: 1 }, signed);
    await expect(it.app.resolve("old")).rejects.toThrow(/app:old is an image of Docker's schema 1, which is no longer/);
    it.registry.addManifest("app:page", Buffer.from("<html>"), "text/html");
    await expect(it.app.resolve("page")).rejects.toThrow(/app:page has media type "text\/html", which is no image$/);
  });

  test("is known by its own media type where the registry gives none", async () => {
    await using it = await badRegistry();
    it.registry.addManifest("app:1", { schemaVersion: 2, mediaType: mediaTypes.ociIndex }, "application/json");
    expect((await it.app.resolve("1")).descriptor.mediaType).toBe(mediaTypes.ociIndex);
  });
});

describe.concurrent("a token", () => {
  /** A registry that wants tokens, and gives t1, t2, … */
  async function withTokens() {
    const it = await badRegistry();
    const challenge = { "www-authenticate": `Bearer realm="http://${it.registry.host}/token",service="x"` };
    it.registry.misbehave(/^GET \/v2\/$/, answers(401, challenge));
    let given = 0;
    it.registry.alwaysMisbehave(/^GET \/token/, (_request, response) => {
      response.end(JSON.stringify({ token: `t${++given}`, expires_in: 300 }));
    });
    const shown = () =>
      it.registry.requests.map(({ path, headers }) => [path.split("/").at(-2), headers.authorization]);
    return { ...it, challenge, shown };
  }

  test("that is refused in the middle of a download is fetched anew, and the download goes on", async () => {
    await using it = await withTokens();
    const blob = it.registry.addBlob(content);
    it.registry.misbehave(blobPath, cutsAfter(1_000_000), answers(401, it.challenge));
    expect(content.equals(await gathered(it.app.blob(blob)))).toBe(true);
    expect(it.shown().filter(([what]) => what === "blobs")).toEqual([
      ["blobs", "Bearer t1"],
      ["blobs", "Bearer t1"],
      ["blobs", "Bearer t2"],
    ]);
  });

  test("that is refused again is not fetched for ever", async () => {
    await using it = await withTokens();
    it.registry.alwaysMisbehave(manifestPath, answers(401, it.challenge));
    await expect(it.app.resolve("1")).rejects.toMatchObject({
      code: "unauthorized",
      message: "unauthorized: authentication required",
    });
    expect(
      it
        .shown()
        .filter(([what]) => what === "manifests")
        .map(([, who]) => who),
    ).toEqual(["Bearer t1", "Bearer t2"]);
  });

  test.for([
    ["no token", '{"token":""}', /^127\.0\.0\.1:\d+ gave no token for this registry$/],
    ["a token that is two lines", '{"token":"a\\r\\nx: y"}', /gave no token/],
    ["a page", "<html>", /gave no token/],
  ] as const)("service that gives %s is refused", async ([, body, why]) => {
    await using it = await withTokens();
    const asked = answers(200, {}, body);
    const service = await BadRegistry.start();
    service.alwaysMisbehave(/^GET \/token/, asked);
    const challenge = { "www-authenticate": `Bearer realm="http://${service.host}/token"` };
    it.registry.misbehave(manifestPath, answers(401, challenge));
    await expect(it.app.resolve("1")).rejects.toThrow(why);
    await service[Symbol.asyncDispose]();
  });
});

describe.concurrent("redirects", () => {
  test("lead to other hosts, which are not told who asks", async () => {
    await using it = await badRegistry();
    await using elsewhere = await BadRegistry.start();
    const blob = elsewhere.addBlob(content);
    it.registry.misbehave(/^GET \/v2\/$/, answers(401, { "www-authenticate": 'Basic realm="x"' }));
    it.registry.alwaysMisbehave(blobPath, redirects(`http://${elsewhere.host}/v2/x/blobs/${blob.digest}?signed=1`));
    elsewhere.misbehave(blobPath, cutsAfter(1_000_000));
    const app = it.client.repository(`${it.registry.host}/app`, { username: "u", password: "p" });
    expect(content.equals(await gathered(app.blob(blob)))).toBe(true);
    const asked = it.registry.requests.filter(({ path }) => path.includes("/blobs/"));
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(["Basic dTpw", "Basic dTpw"]);
    expect(elsewhere.requests.map(({ headers }) => [headers.authorization, headers.range])).toEqual([
      [undefined, undefined],
      [undefined, "bytes=1000000-"],
    ]);
  });

  test("within the host stay who they are, and in a circle end", async () => {
    await using it = await badRegistry();
    it.registry.misbehave(/^GET \/v2\/$/, answers(401, { "www-authenticate": 'Basic realm="x"' }));
    it.registry.alwaysMisbehave(manifestPath, redirects("/v2/app/manifests/1"));
    const app = it.client.repository(`${it.registry.host}/app`, { username: "u", password: "p" });
    await expect(app.resolve("1")).rejects.toThrow(/\/v2\/app\/manifests\/1: stopped after 10 redirects$/);
    const asked = it.registry.requests.filter(({ path }) => path.includes("/manifests/"));
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(new Array(11).fill("Basic dTpw"));
  });

  test("to nowhere are failures", async () => {
    await using it = await badRegistry();
    it.registry.misbehave(manifestPath, redirects("file:///etc/passwd"), answers(302));
    await expect(it.app.resolve("1")).rejects.toThrow(/answered 307 for/);
    await expect(it.app.resolve("1")).rejects.toThrow(/answered 302 for/);
  });
});

describe.concurrent("an upload", () => {
  async function* pieces() {
    for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000);
  }
  const brought = { digest: sha256(content), size: content.length };

  test("goes on with what the registry has kept of it", async () => {
    await using it = await badRegistry({}, "push");
    it.registry.misbehave(/^PATCH/, takesOnly(1_000_000));
    const progress: number[] = [];
    expect(await it.app.upload(pieces, { onProgress: (sent) => progress.push(sent) })).toEqual(brought);
    expect(content.equals(it.registry.blob(brought.digest)!)).toBe(true);
    expect(it.registry.requests.map(({ method }) => method)).toEqual(["GET", "POST", "PATCH", "GET", "PATCH", "PUT"]);
    expect(progress.at(-1)).toBe(content.length);
  });

  test("starts again where the registry has lost it", async () => {
    await using it = await badRegistry({}, "push");
    it.registry.misbehave(/^PATCH/, takesOnly(1_000_000));
    it.registry.misbehave(/^GET .*uploads/, answers(404));
    expect(await it.app.upload(pieces)).toEqual(brought);
    expect(it.registry.requests.map(({ method }) => method)).toEqual([
      "GET",
      "POST",
      "PATCH",
      "GET",
      "POST",
      "PATCH",
      "PUT",
    ]);
  });

  test("of known bytes is one request, made again when it fails", async () => {
    await using it = await badRegistry({}, "push");
    it.registry.misbehave(/^PUT/, takesOnly(1_000_000), answers(503));
    expect(await it.app.upload(pieces, { blob: brought })).toEqual(brought);
    expect(content.equals(it.registry.blob(brought.digest)!)).toBe(true);
    expect(it.client.pauses).toEqual([500, 1000]);
  });

  test.for([
    ["is refused", answers(403), /^denied: requested access to the resource is denied$/, 1],
    ["is cut each time", takesOnly(1000), /^Patch "http:\S+": (the connection was cut|connection reset by peer)$/, 3],
    ["is never answered", isSilent, /^Patch "http:\S+": no answer in time$/, 1],
  ] as const)("that %s ends with one line", async ([, fault, why, attempts]) => {
    await using it = await badRegistry({ attempts, silenceMs: 20 }, "push");
    it.registry.alwaysMisbehave(/^PATCH/, fault);
    await expect(it.app.upload(pieces)).rejects.toThrow(why);
    expect(it.registry.requests.filter(({ method }) => method === "PATCH")).toHaveLength(attempts);
  });

  test("whose bytes cannot be read fails as they do, and once", async () => {
    await using it = await badRegistry({}, "push");
    async function* broken() {
      yield content;
      throw new Error("the disk is broken");
    }
    await expect(it.app.upload(broken)).rejects.toThrow("the disk is broken");
    expect(it.client.pauses).toEqual([]);
  });
});

describe.concurrent("tags", () => {
  test("are those of all pages", async () => {
    await using it = await badRegistry();
    for (const tag of ["1", "2", "3", "4", "5"]) it.registry.addManifest(`app:${tag}`, {});
    expect(await it.app.tags()).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("of pages in a circle, or of no list, are an error", async () => {
    await using it = await badRegistry();
    it.registry.alwaysMisbehave(
      /tags\/list\?/,
      answers(200, { link: "</v2/app/tags/list?n=2>; rel=next" }, '{"tags":[]}'),
    );
    it.registry.misbehave(/tags\/list/, answers(200, { link: "</v2/app/tags/list?n=2>; rel=next" }, '{"tags":["1"]}'));
    await expect(it.app.tags()).rejects.toThrow(/the list of tags v2\/app\/tags\/list has no end/);
    it.registry.misbehave(/tags\/list/, answers(200, {}, '{"tags":[1]}'));
    await expect(it.app.tags()).rejects.toThrow(/did not answer with a list of tags/);
  });
});
