import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { leftovers } from "../../test/oracle/root-leftovers.js";
import { Conflict, InvalidParameter, NotFound } from "../spec/index.js";
import { drivers, imported, rootfs, type TestEngine, testEngine } from "./engine.test.tools.js";

const base = { Image: "base:1" };

describe.for(drivers)("containers on $driver", ({ driver, skip }) => {
  describe.skipIf(skip)("at rest", () => {
    test("one is made as dockerd makes it: files, modes, and what is in them", async () => {
      await using made = await testEngine(driver);
      const { engine, root } = made;
      const { Id, Warnings } = await engine.containers.create(base, { name: "web" });
      expect(Id).toMatch(/^[0-9a-f]{64}$/);
      expect(Warnings).toEqual([]);
      const at = join(root, "containers", Id);
      const modes = ["", "checkpoints", "config.v2.json", "hostconfig.json"].map(
        (name) => statSync(join(at, name)).mode,
      );
      expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(["710", "700", "600", "644"]);
      const text = readFileSync(join(at, "config.v2.json"), "utf8");
      expect(text.endsWith("}\n")).toBe(true);
      expect(Object.keys(JSON.parse(text)).join(" ")).toBe(
        "StreamConfig State ID Created Managed Path Args Config Image NetworkSettings LogPath Name Driver OS " +
          "MountLabel ProcessLabel RestartCount HasBeenStartedBefore HasBeenManuallyStopped MountPoints " +
          "SecretReferences ConfigReferences AppArmorProfile HostnamePath HostsPath ShmPath ResolvConfPath " +
          "SeccompProfile NoNewPrivileges LocalLogCacheMeta",
      );
      expect(JSON.parse(text)).toMatchObject({
        ...{ ID: Id, Name: "/web", Path: "sh", Args: [], Driver: driver, OS: "linux" },
        Config: { Image: "base:1", Cmd: ["sh"], Hostname: Id.slice(0, 12) },
        NetworkSettings: { Networks: { bridge: { NetworkID: "" } } },
      });
      expect(await leftovers(root, driver as "vfs")).toEqual([]);
    });

    test("what was made is there at the next opening, keys of others and big numbers kept", async () => {
      await using made = await testEngine(driver);
      const { root } = made;
      const { Id } = await made.engine.containers.create(base, { name: "kept" });
      await made.engine[Symbol.asyncDispose]();
      const file = join(root, "containers", Id, "config.v2.json");
      writeFileSync(
        file,
        readFileSync(file, "utf8").replace('"Managed"', '"Zebra":{"n":18446744073709551615},"Managed"'),
      );
      const { Engine } = await import("./engine.js");
      await using engine = await Engine.open({ root });
      expect(engine.driver.name).toBe(driver);
      await engine.containers.rename("kept", "renamed");
      expect(readFileSync(file, "utf8")).toContain('"Zebra":{"n":18446744073709551615}');
      expect((await engine.containers.inspect(Id.slice(0, 10))).Name).toBe("/renamed");
    });

    test("names: kept apart, by name, id and unique prefix; free again when the container is gone", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      const { Id } = await containers.create(base, { name: "one" });
      await expect(containers.create(base, { name: "one" })).rejects.toThrow(
        `Conflict. The container name "/one" is already in use by container "${Id}". You have to remove (or rename)`,
      );
      for (const name of ["one", "/one", Id, Id.slice(0, 12)]) expect((await containers.inspect(name)).Id).toBe(Id);
      await expect(containers.inspect("no")).rejects.toThrow(new NotFound("No such container: no"));
      await containers.rename("one", "two");
      await containers.create(base, { name: "one" });
      await containers.remove("two");
      await containers.create(base, { name: "two" });
      expect((await containers.list({ all: true })).map(({ Names }) => Names[0])).toEqual(["/two", "/one"]);
    });

    test("twenty made at the same time under one name: one wins", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      const tries = Array.from({ length: 20 }, () => containers.create(base, { name: "same" }));
      const results = await Promise.allSettled(tries);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
    });

    test("renaming: the texts of its refusals", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      await containers.create(base, { name: "one" });
      await containers.create(base, { name: "two" });
      const refused = (to: string) => expect(containers.rename("one", to)).rejects;
      await refused("").toThrow("Neither old nor new names may be empty");
      await refused("one").toThrow("Renaming a container with the same name as its current name");
      await refused("two").toThrow('Error when allocating new name: Conflict. The container name "/two" is already in');
      await refused("-z").toThrow("Error when allocating new name: Invalid container name (/-z), only");
      expect((await containers.inspect("one")).Name).toBe("/one");
    });

    test("removing takes everything but named volumes, and refuses what is mounted", async () => {
      await using made = await testEngine(driver);
      const { containers, volumes } = made.engine;
      await containers.create(
        { ...base, Volumes: { "/data": {} }, HostConfig: { Binds: ["named:/n"] } },
        { name: "cx" },
      );
      expect((await volumes.list()).Volumes).toHaveLength(2);
      {
        await using _ = await containers.mount("cx");
        await expect(containers.remove("cx")).rejects.toThrow(Conflict);
        expect((await containers.inspect("cx")).State.Status).toBe("created");
      }
      await containers.remove("cx", { volumes: true });
      await expect(containers.remove("cx")).rejects.toThrow(NotFound);
      expect((await volumes.list()).Volumes.map(({ Name }) => Name)).toEqual(["named"]);
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
    });

    test("a removal that was interrupted after its mark is finished at the next opening", async () => {
      await using made = await testEngine(driver);
      const { root } = made;
      const { Id } = await made.engine.containers.create({ ...base, Volumes: { "/data": {} } }, { name: "cx" });
      await made.engine[Symbol.asyncDispose]();
      const file = join(root, "containers", Id, "config.v2.json");
      const marked = readFileSync(file, "utf8")
        .replace('"Dead":false', '"Dead":true')
        .replace("}\n", ',"RemoveVolumes":true}\n');
      writeFileSync(file, marked);
      const { Engine } = await import("./engine.js");
      const reports: string[] = [];
      await using engine = await Engine.open({ root, report: (line) => reports.push(line) });
      expect(reports).toEqual([`finished the removal of container ${Id} (cx)`]);
      expect(await engine.containers.list({ all: true })).toEqual([]);
      expect((await engine.volumes.list()).Volumes).toEqual([]);
      expect(await leftovers(root, driver as "vfs")).toEqual([]);
    });

    test("prune takes those that match, and says what it freed", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      const { Id } = await containers.create({ ...base, Labels: { a: "1" } }, { name: "cx" });
      await containers.create({ ...base, Labels: { a: "2" } }, { name: "cy" });
      {
        await using mounted = await containers.mount("cx");
        writeFileSync(join(mounted.path, "new"), "0123456789");
      }
      await expect(containers.prune({ filters: { zz: ["1"] } })).rejects.toThrow("Invalid filter 'zz'");
      expect(await containers.prune({ filters: { until: ["10m"] } })).toEqual({
        ContainersDeleted: [],
        SpaceReclaimed: 0,
      });
      expect(await containers.prune({ filters: { label: ["a=1"] } })).toEqual({
        ContainersDeleted: [Id],
        SpaceReclaimed: 10,
      });
      expect((await containers.prune({ filters: { "label!": ["a=2"] } })).ContainersDeleted).toEqual([]);
      expect((await containers.prune()).ContainersDeleted).toHaveLength(1);
    });
  });

  describe.skipIf(skip)("what they hold", () => {
    test("changes are listed sorted, with the directories above them, and without what Docker puts in", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      await containers.create(base, { name: "cx" });
      expect(await containers.changes("cx")).toEqual([]);
      {
        await using mounted = await containers.mount("cx");
        appendFileSync(join(mounted.path, "etc/passwd"), "eve:x:5:5::/:\n");
        rmSync(join(mounted.path, "old"));
        mkdirSync(join(mounted.path, "new"));
        writeFileSync(join(mounted.path, "new/file"), "");
      }
      expect(await containers.changes("cx")).toEqual([
        { Path: "/etc", Kind: 0 },
        { Path: "/etc/passwd", Kind: 0 },
        { Path: "/new", Kind: 1 },
        { Path: "/new/file", Kind: 1 },
        { Path: "/old", Kind: 2 },
      ]);
      const { SizeRw, SizeRootFs } = await containers.inspect("cx", { size: true });
      const [image] = await made.engine.images.list();
      expect(SizeRw).toBeGreaterThan(0);
      expect(SizeRootFs).toBe((image?.Size ?? 0) + (SizeRw ?? 0));
    });

    test("a commit is an image of what was changed; unchanged, it adds no layer", async () => {
      await using made = await testEngine(driver);
      const { containers, images } = made.engine;
      await containers.create({ ...base, Cmd: ["run", "it"] }, { name: "cx" });
      const same = await containers.commit("cx", { author: "me", comment: "as it was" });
      const empty = await images.inspect(same.Id);
      const [top] = await images.history(same.Id);
      expect(empty.RootFS.Layers).toHaveLength(1);
      expect(top).toMatchObject({ CreatedBy: "run it", Comment: "as it was", Size: 0 });
      expect(empty).toMatchObject({ Author: "me", Config: { Cmd: ["run", "it"], Image: "base:1" } });
      {
        await using mounted = await containers.mount("cx");
        writeFileSync(join(mounted.path, "new"), "new\n");
      }
      const changes = ["ENV A=1", "LABEL l=$A", 'ENTRYPOINT ["/e"]'];
      const { Id } = await containers.commit("cx", { repo: "docker.io/library/out", tag: "2", changes });
      const image = await images.inspect("out:2");
      expect(image.Id).toBe(Id);
      expect(image.RootFS.Layers).toHaveLength(2);
      expect(image.Parent).toBe((await images.inspect("base:1")).Id);
      expect(image.Config).toMatchObject({ Env: ["A=1"], Labels: { l: "1" }, Entrypoint: ["/e"], Cmd: null });
      await containers.create({ Image: "out:2" }, { name: "cy" });
      await using mounted = await containers.mount("cy");
      expect(readFileSync(join(mounted.path, "new"), "utf8")).toBe("new\n");
    });

    test("a commit that is refused leaves nothing", async () => {
      await using made = await testEngine(driver);
      const { containers, images } = made.engine;
      await containers.create(base, { name: "cx" });
      {
        await using mounted = await containers.mount("cx");
        writeFileSync(join(mounted.path, "new"), "new\n");
      }
      await expect(containers.commit("cx", { changes: ["RUN x"] })).rejects.toThrow(
        "run is not a valid change command",
      );
      await expect(containers.commit("cx", { repo: "A" })).rejects.toThrow("repository name must be lowercase");
      await expect(containers.commit("cx", { repo: "a", tag: ":" })).rejects.toThrow("invalid tag format");
      await expect(containers.commit("nope")).rejects.toThrow("No such container: nope");
      expect(await images.list({ all: true })).toHaveLength(1);
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
    });

    test("a volume is filled with what the image has at its place, with owner and mode", async () => {
      await using made = await testEngine(driver);
      const { containers, volumes } = made.engine;
      const Volumes = { "/data": {}, "/none": {} };
      const { Id } = await containers.create(
        { ...base, Volumes, HostConfig: { Binds: ["vol:/to-dir"] } },
        { name: "cx" },
      );
      const mounts = new Map((await containers.inspect(Id)).Mounts.map((mount) => [mount.Destination, mount]));
      const data = mounts.get("/data")?.Source ?? "";
      expect(data.startsWith(join(made.root, "volumes"))).toBe(true);
      expect(readFileSync(join(data, "f"), "utf8")).toBe("from the image\n");
      expect(statSync(data).mode & 0o777).toBe(0o750);
      expect(readdirSync(mounts.get("/none")?.Source ?? "")).toEqual([]);
      expect(readFileSync(join(mounts.get("/to-dir")?.Source ?? "", "sub/file"), "utf8")).toBe("deep\n");
      expect(mounts.get("/to-dir")).toMatchObject({ Type: "volume", Name: "vol", Mode: "z", RW: true });
      await expect(volumes.remove("vol")).rejects.toThrow(`remove vol: volume is in use - [${Id}]`);
    });

    test("another container's mounts are taken over, read-only when asked", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      await containers.create({ ...base, HostConfig: { Binds: ["vol:/v", "/tmp:/h"] } }, { name: "cx" });
      await containers.create({ ...base, HostConfig: { VolumesFrom: ["cx:ro"] } }, { name: "cy" });
      const { Mounts } = await containers.inspect("cy");
      expect(Mounts.map(({ Destination, RW, Name }) => [Destination, RW, Name])).toEqual([
        ["/h", false, undefined],
        ["/v", false, "vol"],
      ]);
      const none = containers.create({ ...base, HostConfig: { VolumesFrom: ["nope"] } });
      await expect(none).rejects.toThrow(new InvalidParameter("No such container: nope"));
    });

    test("a create that fails late leaves nothing behind", async () => {
      await using made = await testEngine(driver);
      const { containers, volumes } = made.engine;
      const bad = containers.create({ ...base, Volumes: { "/a1": {}, "/old": {} } }, { name: "cx" });
      await expect(bad).rejects.toThrow("cannot mount volume over existing file, file exists /old");
      expect((await volumes.list()).Volumes).toEqual([]);
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
      await containers.create(base, { name: "cx" });
    });
  });
});

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

describe.skipIf(drivers[0]?.skip)("create refuses, in dockerd's words", () => {
  let made: TestEngine;
  beforeAll(async () => {
    made = await testEngine("vfs");
    return () => made[Symbol.asyncDispose]();
  });
  const host = (HostConfig: object) => ({ ...base, HostConfig });
  test.for([
    [{}, "Config cannot be empty in order to create a container"],
    [{ Image: "nope", Cmd: ["x"] }, "No such image: nope:latest"],
    [{ Image: "no pe" }, "invalid reference format"],
    [{ Cmd: [] }, "No command specified"],
    [{ ...base, StopSignal: "FOO" }, "Invalid signal: FOO"],
    [{ ...base, Env: ["=x"] }, "invalid environment variable: =x"],
    [{ ...base, WorkingDir: "rel" }, "the working directory 'rel' is invalid, it needs to be an absolute path"],
    [{ ...base, Healthcheck: { Interval: 5 } }, "Interval in Healthcheck cannot be less than 1ms"],
    [{ ...base, Volumes: { "/": {} } }, "invalid specification: destination can't be '/'"],
    [host({ RestartPolicy: { Name: "zz" } }), "invalid restart policy 'zz'"],
    [
      host({ RestartPolicy: { Name: "always", MaximumRetryCount: 3 } }),
      "maximum retry count cannot be used with restart policy 'always'",
    ],
    [
      host({ RestartPolicy: { Name: "always" }, AutoRemove: true }),
      "can't create 'AutoRemove' container with restart policy",
    ],
    [host({ Memory: 1000 }), "Minimum memory limit allowed is 6MB"],
    [host({ LogConfig: { Type: "zz" } }), 'error looking up logging plugin zz: plugin "zz" not found'],
    [host({ PortBindings: { "80/tcp": [{ HostPort: "abc" }] } }), 'invalid port specification: "abc"'],
    [host({ NetworkMode: "container:" }), "Invalid network mode: invalid container format container:<name|id>"],
    [host({ ExtraHosts: ["bad"] }), 'bad format for add-host: "bad"'],
    [host({ Binds: ["v!:/a"] }), 'create v!: "v!" includes invalid characters for a local volume name'],
    [host({ ShmSize: -1 }), "SHM size can not be less than 0"],
    [host({ Runtime: "zz" }), "Unknown runtime specified zz"],
    [host({ CapAdd: ["zz"] }), 'invalid CapAdd: unknown capability: "CAP_ZZ"'],
    [host({ Tmpfs: { rel: "" } }), "invalid mount path: 'rel' mount path must be absolute"],
    [host({ StorageOpt: { size: "1G" } }), "--storage-opt is not supported for vfs"],
    [
      { ...base, NetworkingConfig: { EndpointsConfig: { b: {}, a: {} } } },
      "Container cannot be connected to network endpoints: a, b",
    ],
  ] as const)("%j", async ([body, message]) => {
    await expect(made.engine.containers.create(body as object)).rejects.toThrow(message);
    expect(await leftovers(made.root, "vfs")).toEqual([]);
    expect(existsSync(join(made.root, "volumes", "v!"))).toBe(false);
  });
});

describe.skipIf(drivers[0]?.skip)("events", () => {
  test("what happens to a container is told with its image, name and labels", async () => {
    await using made = await testEngine("vfs");
    const { containers, events } = made.engine;
    const abort = new AbortController();
    const read = events.read({ filters: { type: ["container"] }, signal: abort.signal });
    const { Id } = await containers.create({ ...base, Labels: { l: "1" } }, { name: "cx" });
    await containers.rename("cx", "cy");
    await containers.commit("cy", { repo: "out" });
    for await (const _ of await containers.export("cy"));
    await containers.remove("cy");
    abort.abort();
    const seen = [];
    for await (const { Action, from, Actor } of read) seen.push([Action, from, Actor.ID === Id, Actor.Attributes]);
    const common = { image: "base:1", l: "1" };
    expect(seen).toMatchObject([
      ["create", "base:1", true, { ...common, name: "cx" }],
      ["rename", "base:1", true, { ...common, name: "cy", oldName: "/cx" }],
      ["commit", "base:1", true, { ...common, name: "cy", imageRef: "out:latest" }],
      ["export", "base:1", true, { ...common, name: "cy" }],
      ["destroy", "base:1", true, { ...common, name: "cy" }],
    ]);
  });
});
