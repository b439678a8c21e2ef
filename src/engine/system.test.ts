import { hostname, release } from "node:os";
import { describe, expect, test } from "vitest";
import { lacking } from "../../test/oracle/programs.js";
import { collected } from "../../test/oracle/sample-image.js";
import { nowNs } from "../spec/index.js";
import { testEngine } from "./engine.test.tools.js";

describe.skipIf(lacking("root"))("what an engine says of itself", () => {
  test("info: counts, the driver, and this machine", async () => {
    await using made = await testEngine("vfs");
    await made.engine.containers.create({ Image: "base:1" });
    const info = await made.engine.info();
    expect(info).toMatchObject({
      ...{ Containers: 1, ContainersRunning: 0, ContainersStopped: 1, Images: 1, Driver: "vfs" },
      ...{ DockerRootDir: made.root, Name: hostname(), KernelVersion: release(), OSType: "linux" },
      ...{ LoggingDriver: "json-file", IndexServerAddress: "https://index.docker.io/v1/" },
    });
    expect(info.DriverStatus.every((pair) => pair.length === 2)).toBe(true);
    expect(info.MemTotal).toBeGreaterThan(1 << 20);
  });

  test("reload: all that can change at once, or nothing; events tell of it", async () => {
    await using made = await testEngine("vfs", { labels: ["a=b"] });
    const { engine } = made;
    const runtimes = { other: { path: "/bin/other" } };
    engine.reload({ labels: ["c=d"], registries: { insecure: ["b.example"] }, runtimes, defaultRuntime: "other" });
    const info = await engine.info();
    expect(info).toMatchObject({ Labels: ["c=d"], DefaultRuntime: "other", Runtimes: { runc: {}, ...runtimes } });
    expect(() => engine.reload({ labels: [], registries: { mirrors: ["x"] } })).toThrow("invalid mirror");
    expect(await engine.info()).toMatchObject({ Labels: info.Labels, RegistryConfig: info.RegistryConfig });
    const { Id } = await engine.containers.create({ Image: "base:1", HostConfig: { Binds: [] } });
    expect((await engine.containers.inspect(Id)).HostConfig).toMatchObject({ Runtime: "other" });
    const [told] = await collected(
      engine.events.read({ sinceNs: 0n, untilNs: nowNs(), filters: { type: ["daemon"] } }),
    );
    expect(told).toMatchObject({
      Action: "reload",
      Actor: { Attributes: { labels: '["c=d"]', "default-runtime": "other" } },
    });
  });

  test("version: the engine first among its components", async () => {
    await using made = await testEngine("vfs");
    const version = made.engine.version();
    expect(version.Components[0]).toMatchObject({ Name: "Engine", Version: version.Version });
    expect(version).toMatchObject({ Os: "linux", KernelVersion: release() });
  });

  test("the three networks that always are", async () => {
    await using made = await testEngine("vfs");
    const { networks } = made.engine;
    expect(networks.list().map(({ Name, Driver }) => [Name, Driver])).toEqual([
      ["bridge", "bridge"],
      ["host", "host"],
      ["none", "null"],
    ]);
    const none = networks.inspect("none");
    expect(none.Id).toMatch(/^[0-9a-f]{64}$/);
    expect(networks.inspect(none.Id.slice(0, 20))).toEqual(none);
    expect(networks.list({ filters: { driver: ["null"] } })).toEqual([none]);
    expect(networks.list({ filters: { name: ["b.*e"], type: ["builtin"] } })).toHaveLength(1);
    expect(networks.list({ filters: { dangling: ["true"] } })).toEqual([]);
    expect(() => networks.inspect("nope")).toThrow("network nope not found");
    expect(() => networks.list({ filters: { zz: [""] } })).toThrow("Invalid filter 'zz'");
  });

  test("layers: of an image top first, as bytes, as a tree, and where they lie", async () => {
    await using made = await testEngine("vfs");
    const { layers, containers } = made.engine;
    await containers.create({ Image: "base:1", WorkingDir: "/made" }, { name: "box" });
    await containers.commit("box", { repo: "two" });
    const [top, bottom] = layers.ofImage("two");
    expect([top?.parent, bottom?.parent]).toEqual([bottom?.chainID, undefined]);
    expect(layers.list().map(({ depth }) => depth)).toEqual([1, 2]);
    expect(layers.inspect(top?.chainID ?? "")).toEqual(top);
    let bytes = 0;
    for await (const chunk of layers.tar(bottom?.chainID ?? "")) bytes += chunk.length;
    expect(bytes % 512).toBe(0);
    expect(Object.keys(await layers.directories(top?.chainID ?? ""))).toEqual(expect.any(Array));
    expect(() => layers.inspect("zz")).toThrow('invalid digest "zz"');
    expect(() => layers.ofImage("nope")).toThrow("No such image: nope:latest");
  });
});
