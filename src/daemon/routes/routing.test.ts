import { describe, expect, test } from "vitest";
import { AlreadyExists, Conflict, Forbidden, InvalidParameter, NotModified } from "../../spec/index.js";
import { Rig } from "../fake-engine.test.helper.js";

describe("negotiation", () => {
  test("a ping names the API version, with HEAD and with GET, on every path form", async () => {
    await using rig = await Rig.open();
    for (const [method, path] of [
      ["HEAD", "/_ping"],
      ["GET", "/_ping"],
      ["GET", "/v1.24/_ping"],
    ] as const) {
      const { status, headers, text } = await rig.ask(method, path);
      expect([status, text]).toEqual([200, method === "HEAD" ? "" : "OK"]);
      expect(headers).toMatchObject({ "api-version": "1.44", ostype: "linux", "docker-experimental": "false" });
      expect(headers.server).toMatch(/^Layerkit\/[\d.]+ \(linux\)$/);
      expect(headers["cache-control"]).toContain("no-cache");
    }
  });

  test("errors carry the version too", async () => {
    await using rig = await Rig.open();
    expect((await rig.ask("GET", "/nothing")).headers["api-version"]).toBe("1.44");
  });

  test.for([
    ["/v1.99/info", 400, "client version 1.99 is too new. Maximum supported API version is 1.44"],
    ["/v2.0/info", 400, "client version 2.0 is too new. Maximum supported API version is 1.44"],
    ["/v1.12/info", 400, "client version 1.12 is too old. Minimum supported API version is 1.24"],
    ["/vfoo/info", 404, "page not found"],
    ["/v1/info", 404, "page not found"],
    ["/nothing", 404, "page not found"],
    ["/containers/x/json/y", 404, "page not found"],
  ] as const)("GET %s is %i: %s", async ([path, status, message]) => {
    await using rig = await Rig.open();
    const answer = await rig.ask("GET", path);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({ message: expect.stringContaining(message) });
  });

  test("a wrong method on a known path is 404, not 405", async () => {
    await using rig = await Rig.open();
    expect((await rig.ask("PUT", "/info")).status).toBe(404);
  });

  test("a request without Host, and one with an odd one, are answered", async () => {
    await using rig = await Rig.open();
    const socket = await rig.raw();
    socket.write("GET /_ping HTTP/1.1\r\n\r\nGET /_ping HTTP/1.1\r\nHost: \u00ff/x\r\nConnection: close\r\n\r\n");
    let text = "";
    for await (const chunk of socket) text += chunk;
    expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  });
});

describe("errors", () => {
  test.for([
    [new InvalidParameter("bad"), 400],
    [new Forbidden("no"), 403],
    [new Conflict("busy"), 409],
    [new AlreadyExists("taken"), 409],
    [new Error("broken"), 500],
  ] as const)("%s is %i with a message, and JSON without a charset", async ([error, status]) => {
    await using rig = await Rig.open({ images: { history: () => Promise.reject(error) } });
    const answer = await rig.ask("GET", "/images/x/history");
    expect([answer.status, answer.text]).toEqual([status, `{"message":"${error.message}"}\n`]);
    expect(answer.headers["content-type"]).toBe("application/json");
  });

  test("not modified is 304 without a body", async () => {
    await using rig = await Rig.open({ containers: { rename: () => Promise.reject(new NotModified("so already")) } });
    const answer = await rig.ask("POST", "/containers/x/rename?name=y");
    expect([answer.status, answer.text]).toEqual([304, ""]);
  });

  test("HEAD of a missing file has status and headers, no body", async () => {
    await using rig = await Rig.open();
    const answer = await rig.ask("HEAD", "/containers/x/archive?path=/y");
    expect([answer.status, answer.text]).toEqual([404, ""]);
  });

  test("a failure is logged with its request, what is refused is not", async () => {
    await using rig = await Rig.open({ images: { history: () => Promise.reject(new Error("broken")) } });
    await rig.ask("GET", "/images/x/history");
    await rig.ask("GET", "/images/x/json");
    expect(rig.logged).toEqual([
      expect.stringMatching(/level=error msg="request failed" method=GET url=\/images\/x\/history error=broken/),
    ]);
  });

  test("what keeps docker inspect, system prune and swarm commands going", async () => {
    await using rig = await Rig.open();
    const statuses = async (...asked: string[]) =>
      Promise.all(asked.map(async (line) => (await rig.ask(...(line.split(" ") as [string, string]))).status));
    expect(await statuses("GET /containers/x/json", "GET /images/x/json", "GET /networks/x", "GET /volumes/x")).toEqual(
      [404, 404, 404, 404],
    );
    expect(await statuses("GET /plugins/x/json", "GET /plugins")).toEqual([404, 200]);
    expect(await statuses("POST /networks/prune", "POST /build/prune?filters=")).toEqual([200, 200]);
    expect(await statuses("GET /swarm", "GET /services", "GET /secrets/x")).toEqual([503, 503, 503]);
    expect(await statuses("POST /build", "GET /images/search?term=x")).toEqual([501, 501]);
  });
});

describe("names in paths", () => {
  test.for([
    ["GET", "/images/127.0.0.1:5055/t/com:1/json", "images.inspect", "127.0.0.1:5055/t/com:1"],
    ["GET", "/v1.41/images/a/b/history", "images.history", "a/b"],
    ["GET", "/distribution/127.0.0.1:5055/t/com:1/json", "images.distribution", "127.0.0.1:5055/t/com:1"],
    ["GET", "/images/json/json/json", "images.inspect", "json/json"],
    ["GET", "/images/foo%2Fbar/json", "images.inspect", "foo/bar"],
    ["DELETE", "/images/foo/bar:1", "images.remove", "foo/bar:1"],
    ["DELETE", "/images/a@sha256:00", "images.remove", "a@sha256:00"],
    ["POST", "/images/a/b:c/tag?repo=x", "images.tag", "a/b:c"],
    ["GET", "/containers/%2Fc1/json", "containers.inspect", "/c1"],
  ] as const)("%s %s asks %s for %s", async ([method, path, what, name]) => {
    await using rig = await Rig.open();
    await rig.ask(method, path);
    expect(rig.seen[0]?.slice(0, 2)).toEqual([what, name]);
  });

  test("fixed words win over names", async () => {
    await using rig = await Rig.open({ images: { list: [] } });
    expect((await rig.ask("GET", "/images/json")).json).toEqual([]);
  });

  test("a broken percent sign is 400", async () => {
    await using rig = await Rig.open();
    expect((await rig.ask("GET", "/images/a%zz/json")).status).toBe(400);
  });
});
