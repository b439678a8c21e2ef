import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leftovers } from "../../../test/oracle/root-leftovers.js";
import { Conflict, NotFound } from "../../spec/index.js";
import { Engine } from "../engine.js";
import { drivers, testEngine } from "../engine.test.tools.js";

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
