import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Dockerd } from "../../test/oracle/dockerd.js";
import { du } from "../../test/oracle/du.js";
import { listing } from "../../test/oracle/listing.js";
import { lacking } from "../../test/oracle/programs.js";
import { leftovers } from "../../test/oracle/root-leftovers.js";
import { output } from "../../test/oracle/run.js";
import { scratch } from "../../test/oracle/scratch.js";
import { mountsBelow } from "../disk/index.js";
import { ownerOf } from "../doctor/index.js";
import { driverNames } from "../driver/index.js";
import { Engine } from "./engine.js";
import { drivers, imported, rootfs, testEngine } from "./engine.test.tools.js";

const silent = () => {};
const files = ["checkpoints", "config.v2.json", "hostconfig.json"];
let root = "";
beforeEach(async () => {
  const directory = await scratch("/dev/shm");
  root = join(directory.path, "root");
  return () => directory[Symbol.asyncDispose]();
});

const vfs = (options = {}) => Engine.open({ root, driver: "vfs", report: silent, ...options });
const skipRoot = drivers[0]?.skip;

/** A process that has opened `root` and announced a socket. */
async function otherOwner(): Promise<ChildProcess> {
  const script = `const { Engine } = await import(${JSON.stringify(new URL("./engine.js", import.meta.url).href)});
    const engine = await Engine.open({ root: ${JSON.stringify(root)}, driver: "vfs" });
    await engine.announce("/run/other.sock");
    console.log("open");
    setInterval(() => engine, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

describe.skipIf(skipRoot)("a data root", () => {
  test("is made with Docker's modes, and those of one that is there are corrected", async () => {
    mkdirSync(root, { mode: 0o755 });
    mkdirSync(join(root, "containers"), { mode: 0o777 });
    await using _ = await vfs();
    const mode = (name: string) => (statSync(join(root, name)).mode & 0o7777).toString(8);
    const wanted = { "": "710", containers: "710", image: "700", volumes: "701", tmp: "700", "image/vfs": "700" };
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, mode(name)]))).toEqual(wanted);
  });

  test("has a name that lasts, and networks that are called the same at each opening", async () => {
    const identity = async () => {
      await using engine = await vfs();
      return [(await engine.info()).ID, engine.networks.inspect("none").Id];
    };
    expect(await identity()).toEqual(await identity());
  });

  test("is opened through a symlink by its real path", async () => {
    mkdirSync(root);
    symlinkSync(root, `${root}-link`);
    await using engine = await Engine.open({ root: `${root}-link`, driver: "vfs" });
    expect(engine.root).toBe(root);
  });
});

describe.skipIf(skipRoot)("ownership", () => {
  test("a second opener is told who has the root, and where it listens; a killed one holds nothing", async () => {
    expect(await ownerOf(root)).toBeUndefined();
    const child = await otherOwner();
    expect(await ownerOf(root)).toEqual({ pid: child.pid, socket: "/run/other.sock" });
    await expect(vfs()).rejects.toMatchObject({
      code: "unavailable",
      message: `data root ${root} is in use by process ${child.pid}: talk to it, or stop it first`,
    });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await ownerOf(root)).toBeUndefined();
    await using _ = await vfs();
    expect(await ownerOf(root)).toEqual({ pid: process.pid });
  });

  test("this process cannot have it twice, and has it no more when disposed", async () => {
    {
      await using _ = await vfs();
      await expect(vfs()).rejects.toThrow("is in use by this process");
    }
    await using _ = await vfs();
  });

  test("an opening that fails gives everything back", async () => {
    await expect(Engine.open({ root, driver: "zz" })).rejects.toThrow("no storage driver 'zz'");
    await expect(vfs({ storageOptions: ["a=b"] })).rejects.toThrow("unknown option");
    await using _ = await vfs();
  });
});

describe.skipIf(skipRoot)("which driver", () => {
  test("the one whose data the root has", async () => {
    {
      await using engine = await vfs();
      await imported(engine, rootfs, "base:1");
    }
    await using engine = await Engine.open({ root });
    expect(engine.driver.name).toBe("vfs");
    expect(await engine.images.list()).toHaveLength(1);
  });

  test("data of several is an error that names them", async () => {
    for (const home of ["overlay2/x", "btrfs/x", "vfs/x"]) mkdirSync(join(root, home), { recursive: true });
    await expect(Engine.open({ root })).rejects.toThrow(
      `${root} contains several valid graphdrivers: btrfs, overlay2;`,
    );
  });

  test("data of one that is not known here is an error, and is left alone", async () => {
    mkdirSync(join(root, "zfs/x"), { recursive: true });
    await expect(Engine.open({ root })).rejects.toThrow("has data of the storage driver zfs, which is not supported");
    expect(readdirSync(join(root, "zfs"))).toEqual(["x"]);
  });
});

describe.skipIf(lacking("root", "mounts", "dockerd"))("as dockerd does", () => {
  const chosen = { args: ["--storage-driver="] };

  test("data of several drivers is refused in the same words", async () => {
    const [ours, theirs] = [join(root, "ours"), join(root, "theirs")];
    for (const home of ["overlay2/x", "overlay/x"])
      for (const at of [ours, theirs]) mkdirSync(join(at, home), { recursive: true });
    // dockerd names them in any order.
    const words = /root\/\w+ contains several valid graphdrivers: (overlay2, overlay|overlay, overlay2);/;
    await expect(Engine.open({ root: ours })).rejects.toThrow(words);
    await expect(Dockerd.start(theirs, chosen)).rejects.toThrow(words);
    await using named = await Engine.open({ root: ours, driver: "overlay2" });
    expect(named.driver.name).toBe("overlay2");
  });

  test.skipIf(!(driverNames as readonly string[]).includes("overlay"))("the driver of old data is taken", async () => {
    for (const home of ["ours/overlay/x", "theirs/overlay/x", "ours/overlay2", "theirs/overlay2"])
      mkdirSync(join(root, home), { recursive: true });
    await using engine = await Engine.open({ root: join(root, "ours") });
    await using dockerd = await Dockerd.start(join(root, "theirs"), chosen);
    expect([engine.driver.name, await dockerd.docker("info", "--format", "{{.Driver}}")]).toEqual([
      "overlay",
      "overlay",
    ]);
  });
});

describe.skipIf(lacking("root", "mounts"))("a root without data", () => {
  test("gets the first driver that works, and is told why not another", async () => {
    await using _ = await overlayOn(root);
    const reports: string[] = [];
    const [fresh, plain] = [join(root, "merged/root"), join(root, "plain")];
    await using fallen = await Engine.open({ root: fresh, report: (line) => reports.push(line) });
    await using first = await Engine.open({ root: plain, report: (line) => reports.push(line) });
    expect([fallen.driver.name, first.driver.name]).toEqual(["vfs", "overlay2"]);
    expect(reports).toEqual([expect.stringMatching(/^driver not supported: overlay2: .*: using vfs instead$/)]);
    expect(readdirSync(fresh)).not.toContain("overlay2");
  });

  test("what was named, or was there before, is never replaced by another", async () => {
    await using _ = await overlayOn(root);
    const named = join(root, "merged/named");
    await expect(Engine.open({ root: named, driver: "overlay2" })).rejects.toThrow("driver not supported: overlay2");
    mkdirSync(join(root, "merged/prior/overlay2/l"), { recursive: true });
    await expect(Engine.open({ root: join(root, "merged/prior") })).rejects.toThrow("driver not supported: overlay2");
  });

  /** `merged` in the directory is an overlay, upon which none can be made. */
  async function overlayOn(directory: string): Promise<AsyncDisposable> {
    for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(directory, name), { recursive: true });
    const at = (name: string) => `${name}dir=${join(directory, name)}`;
    const layers = [at("lower"), at("upper"), at("work")].join(",");
    await output("mount", ["-t", "overlay", "-o", layers, "overlay", join(directory, "merged")]);
    return { [Symbol.asyncDispose]: async () => void (await output("umount", [join(directory, "merged")])) };
  }
});

describe.skipIf(skipRoot)("what is damaged or left over", () => {
  test("is reported and passed over, container by container, and left as it is", async () => {
    await using made = await testEngine("vfs");
    const ids = [];
    for (const name of ["good", "no-json", "no-config", "wrong-id", "other-driver"]) {
      ids.push((await made.engine.containers.create({ Image: "base:1" }, { name })).Id);
    }
    await made.engine[Symbol.asyncDispose]();
    const [, noJSON = "", noConfig = "", wrongID = "", other = ""] = ids;
    const file = (id: string) => join(made.root, "containers", id, "config.v2.json");
    const edit = (id: string, from: string, to: string) =>
      writeFileSync(file(id), readFileSync(file(id), "utf8").replace(from, to));
    writeFileSync(file(noJSON), "{");
    edit(noConfig, '"Config":{', '"Konfig":{');
    edit(wrongID, `"ID":"${wrongID}"`, `"ID":"${noJSON}"`);
    edit(other, '"Driver":"vfs"', '"Driver":"aufs"');
    const reports: string[] = [];
    await using engine = await Engine.open({ root: made.root, report: (line) => reports.push(line) });
    expect((await engine.containers.list({ all: true })).map(({ Names }) => Names[0])).toEqual(["/good"]);
    expect(reports).toHaveLength(3);
    expect(reports).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`container ${noJSON} is passed over: config.v2.json is not JSON: `),
        `container ${noConfig} is passed over: config.v2.json has no Config`,
        `container ${wrongID} is passed over: container ${wrongID} is stored at ${noJSON}`,
      ]),
    );
    expect(await leftovers(made.root, "vfs")).toEqual([]);
  });

  test("what a person wrote by hand is filled up as dockerd does", async () => {
    await using made = await testEngine("vfs");
    const { Id } = await made.engine.containers.create({ Image: "base:1" }, { name: "made" });
    const image = (await made.engine.images.inspect("base:1")).Id;
    await made.engine[Symbol.asyncDispose]();
    const at = join(made.root, "containers", Id);
    writeFileSync(join(at, "config.v2.json"), JSON.stringify({ ID: Id, Driver: "vfs", Config: {}, Image: image }));
    rmSync(join(at, "hostconfig.json"));
    await using engine = await Engine.open({ root: made.root });
    const [summary] = await engine.containers.list({ all: true });
    expect(summary).toMatchObject({ Id, Image: image, State: "created", HostConfig: { NetworkMode: "default" } });
    expect(summary?.Names[0]).toMatch(/^\/[a-z]+_[a-z]+$/);
    expect((await engine.containers.inspect(Id)).NetworkSettings).toMatchObject({ Networks: {}, Ports: {} });
    await engine.containers.rename(Id, "named");
    await engine.containers.remove("named");
  });

  test("a container that a crash left running is exited at the next opening", async () => {
    await using made = await testEngine("vfs");
    const { Id } = await made.engine.containers.create({ Image: "base:1" }, { name: "ran" });
    await made.engine[Symbol.asyncDispose]();
    const file = join(made.root, "containers", Id, "config.v2.json");
    const running = readFileSync(file, "utf8")
      .replace('"Running":false', '"Running":true')
      .replace('"Pid":0', `"Pid":${process.pid}`)
      .replace('"StartedAt":"0001-01-01T00:00:00Z"', '"StartedAt":"2026-01-01T00:00:00Z"');
    writeFileSync(file, running);
    await using engine = await Engine.open({ root: made.root });
    expect((await engine.containers.inspect("ran")).State).toMatchObject({ Status: "exited", Pid: 0, ExitCode: 137 });
    expect((await engine.containers.list({ filters: { exited: ["137"] }, all: true }))[0]?.Status).toMatch(
      /^Exited \(137\)/,
    );
  });

  test("what interrupted operations left in tmp, and writable layers without a container, go and are told", async () => {
    await using made = await testEngine("vfs");
    const { Id } = await made.engine.containers.create({ Image: "base:1" }, { name: "half" });
    const { Id: whole } = await made.engine.containers.create({ Image: "base:1" }, { name: "whole" });
    await made.engine[Symbol.asyncDispose]();
    rmSync(join(made.root, "containers", Id), { recursive: true });
    mkdirSync(join(made.root, "tmp/write-set-container-1"));
    writeFileSync(join(made.root, "containers", whole, ".tmp-config.v2.json123"), "{");
    const reports: string[] = [];
    await using _ = await Engine.open({ root: made.root, report: (line) => reports.push(line) });
    expect(reports).toEqual([
      "removed tmp/write-set-container-1, left by an interrupted operation",
      `removed the writable layer of container ${Id.slice(0, 12)}, left by an interrupted operation`,
    ]);
    expect(readdirSync(join(made.root, "containers", whole)).sort()).toEqual(files);
    expect(await leftovers(made.root, "vfs")).toEqual([]);
  });
});

describe.skipIf(skipRoot)("a creation that was killed", () => {
  test("leaves no volume without a name, and those with one", async () => {
    await using made = await testEngine("vfs");
    const { Id } = await made.engine.containers.create({ Image: "base:1" });
    const nameless = (await made.engine.volumes.create({})).Name;
    const kept = (await made.engine.volumes.create({})).Name;
    await made.engine[Symbol.asyncDispose]();
    writeFileSync(join(made.root, "tmp", `volumes-of-${"0".repeat(64)}`), `${nameless}\n../../containers`);
    writeFileSync(join(made.root, "tmp", `volumes-of-${Id}`), kept);
    const reports: string[] = [];
    await using engine = await Engine.open({ root: made.root, report: (line) => reports.push(line) });
    expect((await engine.volumes.list()).Volumes.map(({ Name }) => Name)).toEqual([kept]);
    expect(reports).toEqual([`removed volume ${nameless.slice(0, 12)}, left by an interrupted operation`]);
    expect(await leftovers(made.root, "vfs")).toEqual([]);
  });
});

describe.skipIf(lacking("root", "mounts"))("what a killed process left mounted", () => {
  test("goes at the next opening: the merged view, and the volumes in it", async () => {
    await using made = await testEngine("overlay2");
    await made.engine.containers.create({ Image: "base:1", Volumes: { "/data": {} } }, { name: "box" });
    await made.engine[Symbol.asyncDispose]();
    const script = `const { Engine } = await import(${JSON.stringify(new URL("./engine.js", import.meta.url).href)});
      const engine = await Engine.open({ root: ${JSON.stringify(made.root)} });
      const wait = (async function* () { console.log("reading"); await new Promise(() => setInterval(() => {}, 1000)); })();
      await engine.containers.extract("box", "/data", wait);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(mountsBelow(made.root)).toHaveLength(2);
    const reports: string[] = [];
    await using engine = await Engine.open({ root: made.root, report: (line) => reports.push(line) });
    expect(mountsBelow(made.root)).toEqual([]);
    expect(reports).toEqual([
      expect.stringMatching(/^unmounted .*\/merged\/data, left by/),
      expect.stringMatching(/^unmounted .*\/merged, left by/),
    ]);
    expect((await engine.containers.stat("box", "/data/f")).size).toBe(15);
    await engine.containers.remove("box", { volumes: true });
    expect(await leftovers(made.root, "overlay2")).toEqual([]);
  });
});

describe.skipIf(skipRoot)("a root opened to be read only", () => {
  test("shows everything, changes nothing, and can be that of a running engine", async () => {
    await using made = await testEngine("vfs");
    await made.engine.containers.create({ Image: "base:1", Volumes: { "/data": {} } }, { name: "seen" });
    const before = await listing(made.root);
    {
      await using engine = await Engine.open({ root: made.root, readOnly: true, report: silent });
      expect(engine.readOnly).toBe(true);
      expect(await engine.images.list()).toHaveLength(1);
      expect((await engine.containers.list({ all: true, size: true }))[0]?.Names).toEqual(["/seen"]);
      expect(await engine.containers.changes("seen")).toEqual([]);
      const { Bytes: Size } = await du(join(made.root, "volumes"));
      const [volume] = (await engine.diskUsage()).Volumes;
      expect(volume?.UsageData?.RefCount).toBe(1);
      expect(volume?.UsageData?.Size).toBeGreaterThan(0);
      expect(volume?.UsageData?.Size).toBeLessThanOrEqual(Size);
      const { containers, volumes, images } = engine;
      const refused = [
        containers.create({ Image: "base:1" }),
        containers.rename("seen", "other"),
        containers.remove("seen"),
        containers.commit("seen"),
        containers.mount("seen"),
        containers.stat("seen", "/"),
        volumes.create({ Name: "vol" }),
        images.tag("base:1", "other"),
        engine.announce("/run/x.sock"),
      ];
      for (const attempt of refused) await expect(attempt).rejects.toMatchObject({ code: "forbidden" });
    }
    expect(await listing(made.root)).toEqual(before);
  });

  test("has to be there", async () => {
    await expect(Engine.open({ root, readOnly: true })).rejects.toThrow(`there is no data root ${root}`);
  });
});

describe.skipIf(lacking("root", "mounts", "dockerd", "docker"))("dockerd", () => {
  test("on the same root: whoever came first keeps the other out; it can be looked at", {
    timeout: 60_000,
  }, async () => {
    {
      await using dockerd = await Dockerd.start(root);
      await expect(Engine.open({ root })).rejects.toMatchObject({
        code: "unavailable",
        message: `data root ${root} is served by a running dockerd (process ${dockerd.pid}): stop it first, or open the root read-only`,
      });
      await using engine = await Engine.open({ root, readOnly: true });
      expect(await engine.images.list()).toEqual([]);
      expect((await engine.info()).Driver).toBe("overlay2");
    }
    await using _ = await Engine.open({ root });
    await expect(Dockerd.start(root)).rejects.toThrow("error while opening volume store metadata database: timeout");
  });
});
