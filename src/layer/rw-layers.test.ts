import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tarOf } from "../archive/index.js";
import type { Layer } from "./layer.js";
import type { LayerStore } from "./layer-store.js";
import {
  collect,
  directory,
  drivers,
  file,
  type Member,
  sha256,
  streamOf,
  TestRoot,
  tarBytes,
} from "./store.test.tools.js";

const initEntries = {
  ".dockerenv": "file 755 0",
  dev: "directory 755",
  "dev/console": "file 755 0",
  "dev/pts": "directory 755",
  "dev/shm": "directory 755",
  etc: "directory 755",
  "etc/hostname": "file 755 0",
  "etc/hosts": "file 755 0",
  "etc/mtab": "link to /proc/mounts",
  "etc/resolv.conf": "file 755 0",
  proc: "directory 755",
  sys: "directory 755",
};

/** What lies in a directory: path to type, mode, size. */
function tree(dir: string): Record<string, string> {
  const paths = (fs.readdirSync(dir, { recursive: true, encoding: "utf8" }) as string[]).sort();
  return Object.fromEntries(paths.map((path) => [path, describeNode(join(dir, path))]));
}

function describeNode(path: string): string {
  const stat = fs.lstatSync(path);
  if (stat.isSymbolicLink()) return `link to ${fs.readlinkSync(path)}`;
  const type = stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "other";
  return `${type} ${(stat.mode & 0o7777).toString(8)}${stat.isFile() ? ` ${stat.size}` : ""}`;
}

describe.for(drivers)("RWLayers on %s", (driver) => {
  let root: TestRoot;
  let store: LayerStore;
  beforeEach(async () => {
    root = await TestRoot.make(driver);
    store = await root.open();
  });
  afterEach(() => root[Symbol.asyncDispose]());

  const image = (...members: Member[]): Promise<Layer> =>
    store.register(streamOf(tarBytes(members)), { label: "image" });

  async function inside<T>(name: string, work: (path: string) => T | Promise<T>): Promise<T> {
    await using mounted = await store.rw.mount(name);
    return await work(mounted.path);
  }

  async function changes(name: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { kind, path } of store.rw.changes(name)) found.push(`${kind[0]?.toUpperCase()} ${path}`);
    return found.map((line) => line.replace(/^M/, "C")).sort();
  }

  test("MountAndRegister: what is written shows again, and goes with the layer", async () => {
    const { chainID } = await image(file("testfile.txt", "test data"));
    await store.rw.create("one", { parent: chainID });
    await inside("one", (path) => {
      expect(fs.readFileSync(join(path, "testfile.txt"), "utf8")).toBe("test data");
      fs.writeFileSync(join(path, "testfile.txt"), "changed");
    });
    expect(await inside("one", (path) => fs.readFileSync(join(path, "testfile.txt"), "utf8"))).toBe("changed");
    await store.rw.create("two", { parent: chainID });
    expect(await inside("two", (path) => fs.readFileSync(join(path, "testfile.txt"), "utf8"))).toBe("test data");
    await store.rw.remove("one");
    await store.rw.remove("two");
    expect(store.rw.list()).toEqual([]);
    expect(await root.driver.list()).toEqual([store.get(chainID).cacheID]);
  });

  test("its entry in the layerdb is Docker's", async () => {
    const { chainID } = await image();
    const rw = await store.rw.create("container", { parent: chainID, init: true });
    const bare = await store.rw.create("bare");
    expect(rw).toEqual({ name: "container", mountID: rw.mountID, initID: `${rw.mountID}-init`, parent: chainID });
    expect(rw.mountID).toMatch(/^[0-9a-f]{64}$/);
    const read = (name: string) =>
      Object.fromEntries(
        fs
          .readdirSync(join(root.layerdb, "mounts", name))
          .map((fact) => [fact, fs.readFileSync(join(root.layerdb, "mounts", name, fact), "utf8")]),
      );
    expect(read("container")).toEqual({ "init-id": rw.initID, "mount-id": rw.mountID, parent: chainID });
    expect(read("bare")).toEqual({ "mount-id": bare.mountID });
    const mode = (...path: string[]) => (fs.statSync(join(root.layerdb, "mounts", ...path)).mode & 0o7777).toString(8);
    expect([mode(), mode("container"), mode("container", "parent")]).toEqual(["755", "755", "644"]);
  });

  test("the init layer has exactly Docker's entries, whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      await store.rw.create("c", { init: true });
    } finally {
      process.umask(umask);
    }
    expect(await inside("c", tree)).toEqual(initEntries);
    expect(await changes("c")).toEqual([]);
    expect(await store.rw.size("c")).toBe(0);
    expect((await collect(tarOf(store.rw.diff("c")))).length).toBe(1024);
  });

  test("the init layer replaces files and links of the image, follows none, and keeps directories", async () => {
    const victim = join(root.path, "victim");
    fs.mkdirSync(victim);
    const { chainID } = await image(
      { name: "etc", type: "2", linkname: victim },
      file("proc", "no directory"),
      directory("dev", 0o700),
      { name: "dev/console", type: "3", mode: 0o600, major: 5, minor: 1 },
      { name: "dev/shm", type: "2", linkname: victim },
      directory("dev/pts", 0o1777),
      { name: ".dockerenv", type: "2", linkname: join(victim, "file") },
      file("other", "stays"),
    );
    await store.rw.create("c", { parent: chainID, init: true });
    expect(await inside("c", tree)).toEqual({
      ...initEntries,
      dev: "directory 700",
      "dev/pts": "directory 1777",
      other: "file 644 5",
    });
    expect(fs.readdirSync(victim)).toEqual([]);
  });

  test("MountInit, MountSize and MountChanges: the init layer is no change, what comes after is", async () => {
    const { chainID } = await image(
      file("testfile1.txt", "base data!"),
      file("testfile2.txt", "base data!"),
      file("testfile3.txt", "base data!"),
      directory("etc"),
      file("etc/hosts", "of the image"),
    );
    await store.rw.create("c", { parent: chainID, init: true });
    await inside("c", (path) => {
      expect(fs.readFileSync(join(path, "etc/hosts"), "utf8")).toBe("");
      fs.chmodSync(join(path, "testfile1.txt"), 0o755);
      fs.writeFileSync(join(path, "testfile1.txt"), "mount data!");
      fs.rmSync(join(path, "testfile2.txt"));
      fs.chmodSync(join(path, "testfile3.txt"), 0o600);
      fs.writeFileSync(join(path, "testfile4.txt"), "mount data!");
    });
    expect(await changes("c")).toEqual([
      "A /testfile4.txt",
      "C /testfile1.txt",
      "C /testfile3.txt",
      "D /testfile2.txt",
    ]);
    expect(await store.rw.size("c")).toBe(11 + 11 + 10);
  });

  test("a commit is the diff as a layer: named by its archive, mountable, on the image", async () => {
    const { chainID } = await image(file("keep", "k"), file("remove", "r"), directory("d"), file("d/inside", "i"));
    await store.rw.create("c", { parent: chainID, init: true });
    await inside("c", (path) => {
      fs.rmSync(join(path, "remove"));
      fs.rmSync(join(path, "d"), { recursive: true });
      fs.mkdirSync(join(path, "d"));
      fs.writeFileSync(join(path, "d/new"), "new");
      fs.linkSync(join(path, "d/new"), join(path, "d/second"));
      fs.symlinkSync("/nowhere", join(path, "link"));
      fs.writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0x41])]), "raw");
    });
    const archive = await collect(tarOf(store.rw.diff("c")));
    let made = 0;
    const layer = await store.rw.commit("c", {
      onBytes: (bytes) => {
        made = bytes;
      },
    });
    expect(layer).toMatchObject({ parent: chainID, depth: 2, diffID: sha256(archive) });
    expect(made).toBe(archive.length);
    expect((await collect(store.tar(layer!.chainID))).equals(archive)).toBe(true);
    // What Docker's older driver counts is what the archive's headers say: nothing for a link.
    const unsaid = driver === "overlay" ? "/nowhere".length : 0;
    expect(layer!.diffSize).toBe((await store.rw.size("c")) - unsaid);
    expect((await root.open()).chain(layer!.chainID)).toHaveLength(2);
    await using mounted = await store.mount(layer!.chainID);
    expect(fs.readdirSync(mounted.path, { encoding: "buffer" }).map(String).sort()).toEqual(
      ["d", "keep", "link", "\ufffdA"].sort(),
    );
    expect(fs.readdirSync(join(mounted.path, "d")).sort()).toEqual(["new", "second"]);
    expect(fs.statSync(join(mounted.path, "d/new")).nlink).toBe(2);
  });

  test("a commit of no changes makes no layer", async () => {
    const { chainID } = await image(file("a"));
    await store.rw.create("c", { parent: chainID, init: true });
    const before = root.inventory();
    expect(await store.rw.commit("c")).toBeUndefined();
    expect(root.inventory()).toEqual(before);
  });

  test("a commit can be stopped, and leaves nothing", async () => {
    const { chainID } = await image(file("a"));
    await store.rw.create("c", { parent: chainID });
    await inside("c", (path) => {
      for (let index = 0; index < 40; index++) fs.writeFileSync(join(path, `f${index}`), Buffer.alloc(1 << 20));
    });
    const before = root.inventory();
    const abort = new AbortController();
    const commit = store.rw.commit("c", { signal: abort.signal, onBytes: () => abort.abort(new Error("enough")) });
    await expect(commit).rejects.toThrow("enough");
    expect(root.inventory()).toEqual(before);
  });

  test("a name is taken once, also by two at the same time", async () => {
    const { chainID } = await image(file("a"));
    const both = await Promise.allSettled([1, 2].map(() => store.rw.create("c", { parent: chainID, init: true })));
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const failure = both.find((result) => result.status === "rejected")?.reason;
    expect(failure).toMatchObject({ code: "already-exists", message: "mount already exists with name c" });
    expect(await root.driver.list()).toHaveLength(3);
    await store.rw.remove("c");
    await store.rw.create("c", { parent: chainID });
  });

  test.for(["", ".", "..", "a/b", "x".repeat(256), "nul\0"])("%j is no name", async (name) => {
    await expect(store.rw.create(name)).rejects.toMatchObject({ code: "invalid-parameter" });
  });

  test("a create that fails leaves nothing, and its parent can go", async () => {
    const { chainID } = await image(file("a"));
    const before = root.inventory();
    const storage = { "no-such-option": "1" };
    await expect(store.rw.create("c", { parent: chainID, init: true, storage })).rejects.toThrow();
    await expect(store.rw.create("c", { parent: sha256(Buffer.from("x")) as never })).rejects.toThrow("does not exist");
    expect(root.inventory().filter((path) => !path.endsWith("committed"))).toEqual(before);
    expect(root.reports).toEqual([]);
    expect(await store.release(chainID)).toHaveLength(1);
  });

  test("a mounted layer cannot be removed, and works on", async () => {
    const { chainID } = await image(file("a", "x"));
    await store.rw.create("c", { parent: chainID, init: true });
    await inside("c", async (path) => {
      await expect(store.rw.remove("c")).rejects.toMatchObject({ code: "conflict" });
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("x");
    });
    expect(await store.rw.remove("c")).toEqual([]);
    expect(() => store.rw.get("c")).toThrow("no writable layer has the name c");
  });

  test("removing the last that refers to an image's layers deletes them", async () => {
    const { chainID } = await image(file("a", "x"));
    await store.rw.create("c", { parent: chainID, init: true });
    expect(await store.release(chainID)).toEqual([]);
    expect((await store.rw.remove("c")).map((layer) => layer.chainID)).toEqual([chainID]);
    expect(await root.driver.list()).toEqual([]);
  });

  test("many containers come and go at once", async () => {
    const { chainID } = await image(file("a", "x"));
    const names = Array.from({ length: 12 }, (_, index) => `c${index}`);
    await Promise.all(names.map((name) => store.rw.create(name, { parent: chainID, init: true })));
    expect((await root.open()).rw.list()).toHaveLength(12);
    expect(root.reports).toEqual([]);
    await Promise.all(names.map((name) => store.rw.remove(name)));
    expect((await root.open()).rw.list()).toEqual([]);
    expect(await root.driver.list()).toEqual([store.get(chainID).cacheID]);
  });
});
