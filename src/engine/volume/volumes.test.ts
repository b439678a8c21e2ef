import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { du } from "../../../test/oracle/du.js";
import { lacking } from "../../../test/oracle/programs.js";
import { testEngine } from "../engine.test.tools.js";

describe.skipIf(lacking("root"))("volumes", () => {
  test("lie where dockerd looks for them, with its modes and options file", async () => {
    await using made = await testEngine("vfs");
    const { volumes } = made.engine;
    const DriverOpts = { type: "tmpfs", device: "tmpfs", o: "size=1m" };
    const volume = await volumes.create({ Name: "vol", DriverOpts, Labels: { a: "1" } });
    const at = join(made.root, "volumes/vol");
    const mode = (path: string) => statSync(path).mode & 0o7777;
    expect([mode(at), mode(join(at, "_data")), mode(join(at, "opts.json"))]).toEqual([0o701, 0o755, 0o600]);
    expect(readFileSync(join(at, "opts.json"), "utf8")).toBe(
      '{"MountType":"tmpfs","MountOpts":"size=1m","MountDevice":"tmpfs","Quota":{"Size":0}}',
    );
    expect(volume).toMatchObject({
      ...{ Name: "vol", Driver: "local", Scope: "local", Mountpoint: join(at, "_data") },
      ...{ Options: { device: "tmpfs", o: "size=1m", type: "tmpfs" }, Labels: { a: "1" } },
    });
    expect(volume.CreatedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await volumes.create({ Name: "vol" })).toEqual(volume);
    expect(await volumes.inspect("vol")).toEqual(volume);
  });

  test.for([
    [{ Name: "a" }, "create a: volume name is too short, names should be at least two alphanumeric characters"],
    [{ Name: "-a" }, 'create -a: "-a" includes invalid characters for a local volume name, only "[a-zA-Z0-9]'],
    [{ Name: "../x" }, "includes invalid characters"],
    [{ Name: "aa", Driver: "zz" }, 'create aa: error looking up volume plugin zz: plugin "zz" not found'],
    [{ Name: "aa", DriverOpts: { zz: "1" } }, 'create aa: invalid option: "zz"'],
    [{ Name: "aa", DriverOpts: { type: "nfs" } }, 'create aa: missing required option: "device"'],
  ] as const)("%j is refused", async ([body, message]) => {
    await using made = await testEngine("vfs");
    await expect(made.engine.volumes.create(body)).rejects.toThrow(message);
    expect((await made.engine.volumes.list()).Volumes).toEqual([]);
  });

  test("are listed by filters, counted with their users, and pruned when nobody has them", async () => {
    await using made = await testEngine("vfs");
    const { volumes, containers } = made.engine;
    const anonymous = (await volumes.create({})).Name;
    expect(anonymous).toMatch(/^[0-9a-f]{64}$/);
    await volumes.create({ Name: "free", Labels: { keep: "no" } });
    const { Id } = await containers.create({ Image: "base:1", HostConfig: { Binds: ["used:/data"] } });
    writeFileSync(join(made.root, "volumes/free/_data/f"), "12345");
    const names = async (filters = {}) => (await volumes.list({ filters })).Volumes.map(({ Name }) => Name).sort();
    expect(await names()).toEqual([anonymous, "free", "used"].sort());
    expect(await names({ dangling: ["true"] })).toEqual([anonymous, "free"].sort());
    expect(await names({ dangling: ["0"], name: ["us"] })).toEqual(["used"]);
    expect(await names({ label: ["keep=no"] })).toEqual(["free"]);
    expect(await names({ driver: ["zz"] })).toEqual([]);
    await expect(volumes.list({ filters: { zz: [""] } })).rejects.toThrow("Invalid filter 'zz'");
    const { Volumes } = await made.engine.diskUsage();
    expect(Volumes.map(({ Name, UsageData }) => [Name, UsageData])).toEqual(
      expect.arrayContaining([
        ["free", { RefCount: 0, Size: (await du(join(made.root, "volumes/free"))).Bytes }],
        ["used", { RefCount: 1, Size: (await du(join(made.root, "volumes/used"))).Bytes }],
      ]),
    );
    await expect(volumes.remove("used")).rejects.toThrow(`remove used: volume is in use - [${Id}]`);
    await expect(volumes.remove("no")).rejects.toThrow("get no: no such volume");
    await volumes.remove("no", { force: true });
    expect(await volumes.prune({ anonymousOnly: true })).toEqual({ VolumesDeleted: [anonymous], SpaceReclaimed: 0 });
    expect(await volumes.prune()).toEqual({ VolumesDeleted: ["free"], SpaceReclaimed: 5 });
    expect(await names()).toEqual(["used"]);
  });

  test("of one name made at the same time: one volume", async () => {
    await using made = await testEngine("vfs");
    const { containers, volumes } = made.engine;
    const body = { Image: "base:1", HostConfig: { Binds: ["shared:/data"] } };
    await Promise.all(Array.from({ length: 6 }, () => containers.create(body)));
    expect((await volumes.list()).Volumes.map(({ Name }) => Name)).toEqual(["shared"]);
    expect(readFileSync(join(made.root, "volumes/shared/_data/f"), "utf8")).toBe("from the image\n");
  });
});
