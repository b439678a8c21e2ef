import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type RawEntry, rawTar } from "../../test/oracle/raw-tar.js";
import { leftovers } from "../../test/oracle/root-leftovers.js";
import { streamOf } from "../../test/oracle/sample-image.js";
import { bytesOf, drivers, type TestEngine, testEngine } from "./engine.test.tools.js";

const base = { Image: "base:1" };

/** What GNU tar lists: kind, name and link target. */
function listed(tar: Buffer): string[] {
  const lines = execFileSync("tar", ["-tvPf", "-"], { input: tar }).toString().trim().split("\n");
  return lines.map((line) => line.replace(/^(.)\S* +\S+ +\S+ +\S+ +\S+ /, "$1 "));
}

async function copiedOut({ engine }: TestEngine, path: string): Promise<string[]> {
  return listed(await bytesOf((await engine.containers.archive("box", path)).body));
}

async function copyIn({ engine }: TestEngine, path: string, entries: RawEntry[], options = {}): Promise<void> {
  await engine.containers.extract("box", path, streamOf(rawTar(entries)), options);
}

/** What a file in the container says. */
async function content({ engine }: TestEngine, path: string): Promise<string> {
  const { body } = await engine.containers.archive("box", path);
  return execFileSync("tar", ["-xOf", "-"], { input: await bytesOf(body) }).toString();
}

describe.for(drivers)("files in containers on $driver", ({ driver, skip }) => {
  describe.skipIf(skip)("out", () => {
    test("entries are named after what was asked for", async () => {
      await using made = await testEngine(driver);
      await made.engine.containers.create(base, { name: "box" });
      expect(await copiedOut(made, "/dir")).toEqual(["d dir/", "d dir/sub/", "- dir/sub/file"]);
      expect(await copiedOut(made, "dir/")).toEqual(["d dir/", "d dir/sub/", "- dir/sub/file"]);
      expect(await copiedOut(made, "/dir/.")).toEqual(["d ./", "d ./sub/", "- ./sub/file"]);
      expect(await copiedOut(made, "/to-dir")).toEqual(["l to-dir -> dir"]);
      expect(await copiedOut(made, "/to-dir/")).toEqual(["d to-dir/", "d to-dir/sub/", "- to-dir/sub/file"]);
      expect(await copiedOut(made, "/to-dir/sub/file")).toEqual(["- file"]);
      expect(await copiedOut(made, "/out/passwd")).toEqual(["- passwd"]);
      expect((await copiedOut(made, "/")).slice(0, 3)).toEqual(["d /", "- /.dockerenv", "d /data/"]);
      expect((await copiedOut(made, "/.")).slice(0, 3)).toEqual(["d ./", "- ./.dockerenv", "d ./data/"]);
      await expect(made.engine.containers.archive("box", "/no")).rejects.toThrow(
        "Could not find the file /no in container box",
      );
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
    });

    test("an export is the whole tree, in names without a slash", async () => {
      await using made = await testEngine(driver);
      await made.engine.containers.create({ ...base, Volumes: { "/data": {} } }, { name: "box" });
      const names = listed(await bytesOf(await made.engine.containers.export("box")));
      expect(names).toEqual(expect.arrayContaining(["- .dockerenv", "l etc/mtab -> /proc/mounts", "- data/f"]));
      expect(names.filter((name) => /^. [./]/.test(name))).toEqual(["- .dockerenv"]);
    });

    test("a stream that nobody reads, or not to its end, keeps nothing mounted", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      await containers.create(base, { name: "box" });
      const abort = new AbortController();
      await containers.archive("box", "/", { signal: abort.signal });
      abort.abort();
      for await (const _ of await containers.export("box")) break;
      await containers.remove("box");
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
    });
  });

  describe.skipIf(skip)("in", () => {
    test("plain and compressed archives are written with owners and modes as they are in them", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      await containers.create(base, { name: "box" });
      const tar = rawTar([
        { name: "new/", type: "5", mode: 0o700 },
        { name: "new/file", content: "new\n", mode: 0o4711 },
        { name: "./new/link", type: "2", linkname: "/etc/passwd" },
        { name: "new/hard", type: "1", linkname: "new/file", mode: 0o4711 },
        { name: "new/.wh.kept", content: "no whiteout\n" },
      ]);
      await containers.extract("box", "/to-dir", streamOf(gzipSync(tar)));
      expect(await copiedOut(made, "/dir/new")).toEqual([
        "d new/",
        "- new/.wh.kept",
        "- new/file",
        "h new/hard link to new/file",
        "l new/link -> /etc/passwd",
      ]);
      expect((await containers.stat("box", "/dir/new/file")).mode).toBe(2 ** 23 + 0o711);
      await containers.extract("box", "/", streamOf(new Uint8Array(0)));
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
    });

    test("nothing an archive names is written outside of the container", async () => {
      await using made = await testEngine(driver);
      await made.engine.containers.create(base, { name: "box" });
      const outside = join(made.root, "..", "victim");
      writeFileSync(outside, "mine\n");
      await copyIn(made, "/dir", [
        { name: "../../../../../../victim", content: "dots\n" },
        { name: outside, content: "absolute\n" },
        { name: "up", type: "2", linkname: "../../../../../.." },
        { name: `up${outside}`, content: "by a link\n" },
        { name: "abs", type: "2", linkname: "/" },
        { name: `abs${outside}`, content: "by an absolute link\n" },
      ]);
      expect(readFileSync(outside, "utf8")).toBe("mine\n");
      expect(await content(made, "/dir/victim")).toBe("dots\n");
      expect(await content(made, `/dir${outside}`)).toBe("absolute\n");
      expect(await content(made, outside)).toBe("by an absolute link\n");
      const hard = copyIn(made, "/", [{ name: "h", type: "1", linkname: "../../../../../../etc/shadow" }]);
      await expect(hard).rejects.toThrow(/Error processing tar file: .*etc\/shadow/);
    });

    test("a file for a directory is refused when asked to be, and replaces it when not", async () => {
      await using made = await testEngine(driver);
      await made.engine.containers.create(base, { name: "box" });
      const strict = { noOverwriteDirNonDir: true };
      await expect(copyIn(made, "/", [{ name: "dir", content: "x" }], strict)).rejects.toThrow(
        /cannot overwrite directory .* with non-directory/,
      );
      await expect(copyIn(made, "/", [{ name: "old/", type: "5" }], strict)).rejects.toThrow(
        /cannot overwrite non-directory .* with directory/,
      );
      await copyIn(made, "/", [{ name: "dir", content: "a file now\n" }]);
      expect(await content(made, "/dir")).toBe("a file now\n");
    });

    test("bad archives and places end in one line", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      await containers.create({ ...base, HostConfig: { ReadonlyRootfs: true } }, { name: "sealed" });
      await containers.create(base, { name: "box" });
      await expect(containers.extract("box", "/", streamOf(Buffer.from("junkjunk")))).rejects.toThrow(
        /^Error processing tar file: [^\n]*$/,
      );
      const cut = rawTar([{ name: "f", content: "x".repeat(2000) }]).subarray(0, 700);
      await expect(containers.extract("box", "/", streamOf(cut))).rejects.toThrow(
        /^Error processing tar file: [^\n]*$/,
      );
      const failing = (async function* () {
        yield rawTar([{ name: "f", content: "x" }]).subarray(0, 512);
        throw new Error("the client is gone");
      })();
      await expect(containers.extract("box", "/", failing)).rejects.toThrow("the client is gone");
      await expect(copyIn(made, "/no", [])).rejects.toThrow("Could not find the file /no in container box");
      await expect(copyIn(made, "/old", [])).rejects.toThrow("extraction point is not a directory");
      await expect(copyIn(made, "", [])).rejects.toThrow("path cannot be empty");
      await expect(containers.extract("sealed", "/", streamOf(rawTar([])))).rejects.toMatchObject({
        code: "forbidden",
        message: "container rootfs is marked read-only",
      });
      const forged = { name: "f", pax: { "SCHILY.xattr.trusted.overlay.opaque": "y" } };
      await expect(copyIn(made, "/", [forged])).rejects.toThrow(/Error processing tar file: .*"f".*overlay/);
      await containers.remove("box");
      expect(await leftovers(made.root, driver as "vfs")).toEqual([]);
    });

    test("files are given to the container's user when asked to be", async () => {
      await using made = await testEngine(driver);
      const { containers } = made.engine;
      const users = {
        bob: [1000, 1001],
        "bob:staff": [1000, 50],
        "77": [77, 0],
        "77:88": [77, 88],
        "1000": [1000, 1001],
      };
      for (const [User, [uid, gid]] of Object.entries(users)) {
        const { Id } = await containers.create({ ...base, User }, { name: "box" });
        await copyIn(made, "/", [{ name: "mine", content: "x" }], { copyUIDGID: true });
        {
          await using mounted = await containers.mount(Id);
          expect(lstatSync(join(mounted.path, "mine"))).toMatchObject({ uid, gid });
        }
        await containers.remove("box");
      }
      await containers.create({ ...base, User: "eve" }, { name: "box" });
      await expect(copyIn(made, "/", [], { copyUIDGID: true })).rejects.toThrow("unable to find user eve");
    });
  });
});

const overlay = drivers.find(({ driver }) => driver === "overlay2");
describe.skipIf(overlay?.skip)("volumes in containers", () => {
  test("their files are seen and written through the container, and are no changes of it", async () => {
    await using made = await testEngine("overlay2");
    const { containers } = made.engine;
    const HostConfig = { Binds: ["vol:/vol", `${made.root}/..:/host:ro`], Tmpfs: { "/t": "" } };
    await containers.create({ ...base, Volumes: { "/data": {} }, HostConfig }, { name: "box" });
    await copyIn(made, "/data", [{ name: "new", content: "in the volume\n" }]);
    await copyIn(made, "/", [{ name: "vol/deep/f", content: "by the root\n" }]);
    const mounts = (await containers.inspect("box")).Mounts;
    const source = (at: string) => mounts.find(({ Destination }) => Destination === at)?.Source ?? "";
    expect(readFileSync(join(source("/data"), "new"), "utf8")).toBe("in the volume\n");
    expect(readFileSync(join(source("/vol"), "deep/f"), "utf8")).toBe("by the root\n");
    expect(await copiedOut(made, "/data")).toEqual(["d data/", "- data/f", "- data/new"]);
    expect((await containers.stat("box", "/data/new")).size).toBe(14);
    await expect(copyIn(made, "/host", [{ name: "x", content: "x" }])).rejects.toThrow(
      "mounted volume is marked read-only",
    );
    await expect(copyIn(made, "/", [{ name: "host/x", content: "x" }])).rejects.toThrow(/Read-only|EROFS/i);
    expect(existsSync(join(made.root, "../x"))).toBe(false);
    expect((await containers.changes("box")).map(({ Path }) => Path)).toEqual(["/host", "/vol"]);
    await containers.remove("box");
    expect(await leftovers(made.root, "overlay2")).toEqual([]);
  });

  test("many at the same time share what is mounted, and leave nothing mounted", async () => {
    await using made = await testEngine("overlay2");
    const { containers } = made.engine;
    await containers.create({ ...base, Volumes: { "/data": {} } }, { name: "box" });
    await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        if (n % 3 === 0) await copyIn(made, "/data", [{ name: `f${n}`, content: String(n) }]);
        else if (n % 3 === 1) expect((await containers.stat("box", "/data/f")).size).toBe(15);
        else expect(await copiedOut(made, "/data/f")).toEqual(["- f"]);
      }),
    );
    expect(await leftovers(made.root, "overlay2")).toEqual([]);
    await containers.remove("box", { volumes: true });
  });
});

test.skipIf(overlay?.skip)("copying 100 MB in and out leaves the event loop free", async () => {
  await using made = await testEngine("overlay2");
  const { containers } = made.engine;
  await containers.create(base, { name: "box" });
  const megabyte = Buffer.alloc(1 << 20, "x");
  const entries = Array.from({ length: 100 }, (_, n) => ({ name: `big/${n}`, content: megabyte }));
  const tar = rawTar(entries);
  const pieces = (async function* () {
    for (let at = 0; at < tar.length; at += 65_536) yield tar.subarray(at, at + 65_536);
  })();
  const delay = monitorEventLoopDelay({ resolution: 2 });
  delay.enable();
  await containers.extract("box", "/", pieces);
  let bytes = 0;
  for await (const chunk of (await containers.archive("box", "/big")).body) bytes += chunk.length;
  delay.disable();
  expect(bytes).toBeGreaterThan(100 << 20);
  expect(delay.percentile(50) / 1e6).toBeLessThan(20);
});
