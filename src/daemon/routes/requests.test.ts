import { describe, expect, test } from "vitest";
import { RawNumber } from "../../spec/index.js";
import { Rig } from "../fake-engine.test.helper.js";

const image = {
  Id: `sha256:${"ab".repeat(32)}`,
  ParentId: "",
  RepoTags: [],
  RepoDigests: [],
  Created: 1,
  Size: 2,
  VirtualSize: 2,
  SharedSize: -1,
  Containers: -1,
  Labels: null,
};

describe("parameters", () => {
  test.for([
    ["", false],
    ["all=", false],
    ["all=0", false],
    ["all=%20False%20", false],
    ["all=none", false],
    ["all=1", true],
    ["all=True", true],
    ["all=yes", true],
  ] as const)("boolean %s is %s", async ([query, all]) => {
    await using rig = await Rig.open({ images: { list: [] } });
    await rig.ask("GET", `/images/json?${query}`);
    expect(rig.seen[0]?.[1]).toMatchObject({ all });
  });

  test("filters come in the docker command's form, in dockerode's, empty and absent", async () => {
    await using rig = await Rig.open({ images: { list: [] } });
    for (const filters of [
      '{"label":{"a=b":true,"c":false},"dangling":{"true":true}}',
      '{"label":["a=b"],"dangling":["true"]}',
    ])
      await rig.ask("GET", `/images/json?filters=${encodeURIComponent(filters)}`);
    for (const query of ["", "?filters=", "?filters={}", "?filters=null"]) await rig.ask("GET", `/images/json${query}`);
    const filters = rig.seen.map(([, given]) => (given as { filters: unknown }).filters);
    const both = { label: ["a=b"], dangling: ["true"] };
    expect(filters).toEqual([both, both, {}, {}, {}, {}]);
  });

  test.for(["x", "[1]", '{"a":"b"}', '{"a":[1]}', '{"a":{"b":1}}'])("filters %s are 400", async (filters) => {
    await using rig = await Rig.open({ images: { list: [] } });
    expect((await rig.ask("GET", `/images/json?filters=${encodeURIComponent(filters)}`)).status).toBe(400);
  });

  test("a number that is none is 400", async () => {
    await using rig = await Rig.open({ containers: { list: [] } });
    expect((await rig.ask("GET", "/containers/json?limit=x")).status).toBe(400);
    expect((await rig.ask("GET", "/containers/json?limit=-1")).status).toBe(200);
  });

  test("event times keep their nanoseconds", async () => {
    await using rig = await Rig.open({ events: { read: failing(new Error("no events")) } });
    await rig.ask("GET", "/events?since=1700000000.123456789&until=1700000001").catch(() => {});
    expect(rig.seen[0]?.[1]).toMatchObject({ sinceNs: 1700000000123456789n, untilNs: 1700000001000000000n });
  });
});

describe("JSON bodies", () => {
  const created = { containers: { create: { Id: "1", Warnings: [] } } };

  test("a container's config goes to the engine as it came", async () => {
    await using rig = await Rig.open(created);
    const body = { image: "bb", CMD: "true", entrypoint: null, hostconfig: { memory: 7 }, Dns: [] };
    const answer = await rig.ask("POST", "/containers/create?name=c", { body });
    expect([answer.status, answer.json]).toEqual([201, { Id: "1", Warnings: [] }]);
    expect(rig.seen[0]?.slice(0, 2)).toEqual(["containers.create", body]);
    expect(rig.seen[0]?.[2]).toMatchObject({ name: "c" });
  });

  test("what dockerode repeats in a long query is passed over", async () => {
    await using rig = await Rig.open(created);
    const noise = `Image=other&Cmd=wc&HostConfig=${"%7B%7D".repeat(10_000)}`;
    expect((await rig.ask("POST", `/containers/create?${noise}`, { body: { Image: "bb" } })).status).toBe(201);
    expect(rig.seen[0]?.[1]).toEqual({ Image: "bb" });
  });

  test.for([
    ["text/plain", '{"Image":"bb"}', "Content-Type specified (text/plain) must be 'application/json'"],
    ["application/json", '{"Image":', "invalid JSON in request body"],
    ["application/json", "[]", "the body must be an object"],
    ["application/json", "", "Config cannot be empty"],
  ] as const)("%s %s is 400: %s", async ([type, body, message]) => {
    await using rig = await Rig.open(created);
    const answer = await rig.ask("POST", "/containers/create", { headers: { "Content-Type": type }, body });
    expect([answer.status, answer.json]).toEqual([400, { message: expect.stringContaining(message) }]);
  });

  test("a body that is not expected is read and dropped, and the connection goes on", async () => {
    await using rig = await Rig.open({ containers: { rename: undefined } });
    const body = JSON.stringify({ t: 0 });
    const one = `POST /containers/c/stop HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const socket = await rig.raw();
    socket.write(`${one}${one.replace("stop HTTP/1.1", "stop HTTP/1.1\r\nConnection: close")}`);
    let text = "";
    for await (const chunk of socket) text += chunk;
    expect(text.match(/HTTP\/1.1 404/g)).toHaveLength(2);
  });
});

describe("shapes by version", () => {
  test("untagged images and VirtualSize are as the client's version knows them", async () => {
    await using rig = await Rig.open({ images: { list: [image] } });
    const { VirtualSize: _, ...newest } = image;
    expect((await rig.ask("GET", "/images/json")).json).toEqual([newest]);
    expect((await rig.ask("GET", "/v1.43/images/json")).json).toEqual([image]);
    const old = { ...image, RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] };
    expect((await rig.ask("GET", "/v1.42/images/json")).json).toEqual([old]);
  });

  test("from 1.42 on, type limits what system df tells", async () => {
    const usage = { LayersSize: 1, Images: [], Containers: [], Volumes: [], BuildCache: [], BuilderSize: 0 };
    await using rig = await Rig.open({ engine: { diskUsage: usage } });
    expect((await rig.ask("GET", "/v1.41/system/df?type=volume")).json).toEqual(usage);
    expect((await rig.ask("GET", "/v1.42/system/df?type=volume")).json).toEqual({ Volumes: [] });
  });

  test("volumes pruned are the anonymous ones from 1.42 on, unless all are asked for", async () => {
    await using rig = await Rig.open({ volumes: { prune: {} } });
    for (const path of [
      "/v1.41/volumes/prune",
      "/volumes/prune",
      '/volumes/prune?filters={"all":{"1":true},"label":["a"]}',
    ])
      await rig.ask("POST", path);
    expect(rig.seen.map(([, given]) => given)).toEqual([
      { filters: {}, anonymousOnly: false },
      { filters: {}, anonymousOnly: true },
      { filters: { label: ["a"] }, anonymousOnly: false },
    ]);
  });

  test.for([0, 1, 1000, 2500])("a list of %i changes arrives whole", async (length) => {
    const changes = Array.from({ length }, (_, i) => ({ Path: `/${i}`, Kind: i % 3 }));
    await using rig = await Rig.open({ containers: { changes } });
    const answer = await rig.ask("GET", "/containers/c/changes");
    expect([answer.json, answer.text.endsWith("]\n")]).toEqual([changes, true]);
  });

  test("numbers beyond 2^53 arrive with all their digits", async () => {
    await using rig = await Rig.open({
      events: {
        read: async function* () {
          yield { timeNano: new RawNumber(1700000000123456789n) };
        },
      },
    });
    expect((await rig.ask("GET", "/events")).text).toBe('{"timeNano":1700000000123456789}\n');
  });

  test("a path stat is standard base64 with padding", async () => {
    const stat = { name: "??>>", size: 1, mode: 2147484141, mtime: "2026-01-01T00:00:00Z", linkTarget: "" };
    await using rig = await Rig.open({ containers: { stat } });
    const header = (await rig.ask("HEAD", "/containers/c/archive?path=/x")).headers["x-docker-container-path-stat"];
    expect(header).toBe(
      Buffer.from(JSON.stringify({ ...stat, name: "??\\u003e\\u003e" }).replace(/\\\\u/g, "\\u")).toString("base64"),
    );
  });
});

/** A stream that fails before its first piece. */
function failing(error: Error) {
  return async function* (): AsyncIterable<object> {
    if (error) throw error;
    yield {};
  };
}
