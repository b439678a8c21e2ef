import { beforeAll, describe, expect, test } from "vitest";
import { drivers, imported, rootfs, type TestEngine, testEngine } from "../engine.test.tools.js";

const base = { Image: "base:1" };

describe.skipIf(drivers[0]?.skip)("lists", () => {
  test("which are shown, in which order, with what", async () => {
    await using made = await testEngine("vfs");
    const { containers } = made.engine;
    const child = await imported(made.engine, rootfs, "child:1", ["CMD x", "LABEL from=image"]);
    await containers.create({ ...base, Labels: { a: "1" }, Cmd: ["sh", "-c", "echo hi"] }, { name: "c1" });
    await containers.create({ Image: "child:1", Labels: { a: "2" } }, { name: "c2" });
    await containers.create({ Image: child, ExposedPorts: { "80/tcp": {} }, Volumes: { "/v": {} } }, { name: "c3" });
    const names = async (options: Parameters<typeof containers.list>[0]) =>
      (await containers.list(options)).map(({ Names }) => Names[0]);
    expect(await names({})).toEqual([]);
    expect(await names({ all: true })).toEqual(["/c3", "/c2", "/c1"]);
    expect(await names({ limit: 2 })).toEqual(["/c3", "/c2"]);
    const filtered = (filters: Record<string, string[]>) => names({ all: true, filters });
    expect(await filtered({ name: ["c[12]"] })).toEqual(["/c2", "/c1"]);
    expect(await filtered({ name: ["^/?c3$"], label: ["from"] })).toEqual(["/c3"]);
    expect(await filtered({ label: ["a=1"] })).toEqual(["/c1"]);
    expect(await filtered({ label: ["a", "from=image"] })).toEqual(["/c2"]);
    expect(await names({ filters: { status: ["created"] } })).toHaveLength(3);
    expect(await names({ filters: { status: ["running", "exited"] } })).toEqual([]);
    expect(await filtered({ ancestor: ["child"] })).toEqual([]);
    expect(await filtered({ ancestor: ["child:1"] })).toEqual(["/c3", "/c2"]);
    expect(await filtered({ before: ["c2"] })).toEqual(["/c1"]);
    expect(await filtered({ since: ["c2"] })).toEqual(["/c3"]);
    expect(await filtered({ expose: ["80"] })).toEqual(["/c3"]);
    expect(await filtered({ expose: ["81-90/tcp"] })).toEqual([]);
    expect(await filtered({ volume: ["/v"] })).toEqual(["/c3"]);
    expect(await filtered({ network: ["bridge"] })).toHaveLength(3);
    expect(await filtered({ "is-task": ["true"] })).toEqual([]);
    expect(await filtered({ exited: ["0"] })).toEqual([]);
    expect(await filtered({ health: ["none"] })).toHaveLength(3);
    const [, , first] = await containers.list({ all: true, size: true });
    expect(first).toMatchObject({
      ...{ Image: "base:1", Command: "sh -c 'echo hi'", State: "created", Status: "Created", Labels: { a: "1" } },
      ...{ Ports: [], Mounts: [], HostConfig: { NetworkMode: "default" } },
    });
    expect(Number.isInteger(first?.Created)).toBe(true);
    expect((await containers.list({ all: true }))[0]?.Image).toBe(child);
  });

  test("an image whose tag has moved or gone is shown by its id", async () => {
    await using made = await testEngine("vfs");
    const { containers, images } = made.engine;
    const { Id } = await images.inspect("base:1");
    await containers.create(base, { name: "cx" });
    await imported(made.engine, rootfs, "base:1", ["CMD other"]);
    expect((await containers.list({ all: true }))[0]).toMatchObject({ Image: Id, ImageID: Id });
    expect((await containers.inspect("cx")).Config.Image).toBe("base:1");
  });
});

describe.skipIf(drivers[0]?.skip)("filters of lists", () => {
  let made: TestEngine;
  beforeAll(async () => {
    made = await testEngine("vfs");
    return () => made[Symbol.asyncDispose]();
  });

  test.for([
    [{ zz: ["a"] }, "Invalid filter 'zz'"],
    [{ status: ["zz"] }, "Invalid filter 'status=zz'"],
    [{ health: ["zz"] }, "Unrecognised filter value for health: zz"],
    [{ before: ["zz"] }, "no such container zz"],
    [{ "is-task": ["zz"] }, "Invalid filter 'is-task=[zz]'"],
    [{ exited: ["zz"] }, "Invalid filter 'exited=zz'"],
    [{ publish: ["zz"] }, "Invalid filter 'publish=zz'"],
  ] as const)("%j is refused", async ([filters, message]) => {
    await expect(made.engine.containers.list({ filters })).rejects.toThrow(message);
  });
});
