import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leftovers } from "../../../test/oracle/root-leftovers.js";
import { InvalidParameter } from "../../spec/index.js";
import { drivers, testEngine } from "../engine.test.tools.js";

const base = { Image: "base:1" };

describe.for(drivers)("what containers on $driver hold", ({ driver, skip }) => {
  describe.skipIf(skip)("and commit", () => {
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
