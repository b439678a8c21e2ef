import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, describe, expect, test } from "vitest";
import { lacking } from "../../test/oracle/programs.js";
import { decodeName } from "../spec/index.js";
import * as sys from "../sys/index.js";
import { mountsBelow, removeTree } from "./index.js";
import { Removal } from "./removal.js";

// Memory has room for many names and does not wait for a disk.
const base = fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const root = fs.mkdtempSync(join(base, "remove-"));
afterAll(() => removeTree(root));
let count = 0;
function fresh(): string {
  const dir = join(root, String(count++));
  fs.mkdirSync(dir);
  return dir;
}
const at = sys.AT_FDCWD;

test("a missing tree, also in a missing directory, is removed already", async () => {
  await removeTree(join(root, "missing"));
  await removeTree(join(root, "missing", "below"));
});

test("a file, a symlink and a device are removed themselves", async () => {
  const dir = fresh();
  fs.mkdirSync(`${dir}/kept`);
  fs.symlinkSync("kept", `${dir}/link`);
  fs.writeFileSync(`${dir}/file`, "");
  sys.mknodat(at, `${dir}/fifo`, sys.S.IFIFO | 0o600);
  for (const name of ["link", "file", "fifo"]) await removeTree(`${dir}/${name}`);
  expect(fs.readdirSync(dir)).toEqual(["kept"]);
});

test("symlinks in the tree do not lead out of it", async () => {
  const dir = fresh();
  fs.mkdirSync(`${dir}/outside`);
  fs.writeFileSync(`${dir}/outside/f`, "");
  fs.mkdirSync(`${dir}/tree/sub`, { recursive: true });
  fs.symlinkSync("../../outside", `${dir}/tree/sub/link`);
  fs.symlinkSync(`${dir}/outside`, `${dir}/tree/abs`);
  await removeTree(`${dir}/tree`);
  expect(fs.readdirSync(dir)).toEqual(["outside"]);
  expect(fs.readdirSync(`${dir}/outside`)).toEqual(["f"]);
});

test("names that are no UTF-8 go as well, also as the tree's own", async () => {
  const dir = fresh();
  const raw = decodeName(Buffer.from([0xff, 0x2e, 0xc3]));
  sys.mkdirat(at, `${dir}/${raw}`, 0o755);
  sys.mkdirat(at, `${dir}/${raw}/${raw}`, 0o000);
  sys.mknodat(at, `${dir}/${raw}/${raw}x`, sys.S.IFREG);
  await removeTree(`${dir}/${raw}`);
  expect(fs.readdirSync(dir)).toEqual([]);
});

test("a tree deeper than paths may be long, and than there are file descriptors", async () => {
  const dir = fresh();
  fs.mkdirSync(`${dir}/tree`);
  let fd = sys.openat(at, `${dir}/tree`, sys.O.O_DIRECTORY);
  for (let depth = 0; depth < 3000; depth++) {
    sys.mkdirat(fd, "sub", 0o755);
    sys.mknodat(fd, "file", sys.S.IFREG);
    const next = sys.openat(fd, "sub", sys.O.O_DIRECTORY);
    sys.close(fd);
    fd = next;
  }
  sys.close(fd);
  await removeTree(`${dir}/tree`);
  expect(fs.readdirSync(dir)).toEqual([]);
});

test("tens of thousands of entries do not keep the event loop", async () => {
  const dir = fresh();
  for (let sub = 0; sub < 50; sub++) {
    sys.mkdirat(at, `${dir}/${sub}`, 0o755);
    const fd = sys.openat(at, `${dir}/${sub}`, sys.O.O_DIRECTORY);
    for (let file = 0; file < 1000; file++) sys.mknodat(fd, `file-${file}`, sys.S.IFREG);
    sys.close(fd);
  }
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 5);
  await removeTree(dir);
  clearInterval(ticking);
  delay.disable();
  expect(fs.existsSync(dir)).toBe(false);
  expect(ticks).toBeGreaterThan(3);
  expect(delay.percentile(50) / 1e6).toBeLessThan(50);
});

describe.skipIf(lacking("root", "mounts"))("with mounts", () => {
  test("what is mounted below is unmounted, not emptied", async () => {
    const dir = fresh();
    fs.mkdirSync(`${dir}/source`);
    fs.writeFileSync(`${dir}/source/precious`, "");
    fs.mkdirSync(`${dir}/tree/a b/c`, { recursive: true });
    fs.writeFileSync(`${dir}/tree/file`, "");
    sys.mount(`${dir}/source`, `${dir}/tree/a b/c`, null, sys.MS.BIND, null);
    sys.mount(`${dir}/source/precious`, `${dir}/tree/file`, null, sys.MS.BIND, null);
    sys.mount(`${dir}/source`, `${dir}/tree/a b`, null, sys.MS.BIND, null);
    expect(mountsBelow(`${dir}/tree`).map(({ path }) => path.slice(dir.length))).toEqual([
      "/tree/a b/c",
      "/tree/a b",
      "/tree/file",
    ]);
    await removeTree(`${dir}/tree`);
    expect(fs.readdirSync(dir)).toEqual(["source"]);
    expect(fs.readdirSync(`${dir}/source`)).toEqual(["precious"]);
    expect(mountsBelow(dir)).toEqual([]);
  });

  test("a symlink to a directory with mounts in it takes none of them away", async () => {
    const dir = fresh();
    fs.mkdirSync(`${dir}/mounted`);
    sys.mount("none", `${dir}/mounted`, "tmpfs", 0, null);
    fs.symlinkSync("mounted", `${dir}/link`);
    await removeTree(`${dir}/link`);
    expect(mountsBelow(dir)).toHaveLength(1);
    sys.umount(`${dir}/mounted`);
  });

  test("mount points are listed with any byte in their names, through symlinks, deepest first", () => {
    const dir = fresh();
    const raw = decodeName(Buffer.from("sp ace\t\n\\040#\xff", "latin1"));
    sys.mkdirat(at, `${dir}/${raw}`, 0o755);
    fs.symlinkSync(dir, `${dir}-link`);
    for (const _ of [1, 2]) sys.mount("none", `${dir}/${raw}`, "tmpfs", 0, "size=4k");
    sys.mkdirat(at, `${dir}/${raw}/in`, 0o755);
    sys.mount("none", `${dir}/${raw}/in`, "tmpfs", 0, null);
    const found = mountsBelow(`${dir}-link`);
    expect(found.map(({ path, type }) => [path, type])).toEqual([
      [`${dir}/${raw}/in`, "tmpfs"],
      [`${dir}/${raw}`, "tmpfs"],
      [`${dir}/${raw}`, "tmpfs"],
    ]);
    for (const { path } of found) sys.umount(path);
    expect(mountsBelow(dir)).toEqual([]);
  });

  test.skipIf(lacking("chattr"))("a file that may not go is named, and told once", async () => {
    const dir = fresh();
    fs.mkdirSync(`${dir}/tree/a/b`, { recursive: true });
    fs.writeFileSync(`${dir}/tree/a/b/kept`, "");
    execFileSync("chattr", ["+i", `${dir}/tree/a/b/kept`]);
    const refused = await removeTree(`${dir}/tree`).catch((error: unknown) => error);
    execFileSync("chattr", ["-i", `${dir}/tree/a/b/kept`]);
    expect(String(refused)).toContain(`EPERM: operation not permitted, unlinkat '${dir}/tree/a/b/kept'`);
  });

  test("what is mounted in it while it is removed is unmounted too, and not emptied", () => {
    const dir = fresh();
    fs.mkdirSync(`${dir}/source`);
    fs.writeFileSync(`${dir}/source/precious`, "");
    for (const name of ["a", "b"]) fs.mkdirSync(`${dir}/tree/${name}/point`, { recursive: true });
    const steps: string[] = [];
    for (const step of new Removal(false).run(`${dir}/tree`)) {
      const later = ["a", "b"].map((name) => `${dir}/tree/${name}/point`).find((path) => fs.existsSync(path));
      if (steps.length === 0) sys.mount(`${dir}/source`, later ?? "", null, sys.MS.BIND, null);
      steps.push(step);
    }
    expect(steps).toContain("busy");
    expect([fs.readdirSync(dir), fs.readdirSync(`${dir}/source`)]).toEqual([["source"], ["precious"]]);
  });

  test("what cannot be removed is named with its whole path", async () => {
    const dir = fresh();
    fs.mkdirSync(`${dir}/tree/ro`, { recursive: true });
    sys.mount("none", `${dir}/tree`, "tmpfs", 0, null);
    fs.mkdirSync(`${dir}/tree/sub/deep`, { recursive: true });
    sys.mount("none", `${dir}/tree`, "tmpfs", sys.MS.REMOUNT | sys.MS.RDONLY, null);
    await expect(removeTree(`${dir}/tree/sub`)).rejects.toThrow(
      `EROFS: read-only file system, unlinkat '${dir}/tree/sub'`,
    );
    sys.umount(`${dir}/tree`);
  });
});
