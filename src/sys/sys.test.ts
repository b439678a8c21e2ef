import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, test } from "vitest";
import { lacking } from "../../test/oracle/programs.js";
import { loopDisk } from "../../test/oracle/scratch.js";
import { decodeName, isErrno } from "../spec/index.js";
import * as sys from "./index.js";

const at = sys.AT_FDCWD;
const root = fs.mkdtempSync(join(tmpdir(), "sys-"));
afterAll(() => fs.rmSync(Buffer.from(root), { recursive: true, force: true }));
let count = 0;
function fresh(): string {
  const dir = join(root, String(count++));
  fs.mkdirSync(dir);
  return dir;
}

/** Bytes that are no UTF-8, and the text that stands for them. */
const rawBytes = Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0x80]);
const raw = decodeName(rawBytes);

describe("names", () => {
  test("escaped bytes reach the kernel as the bytes they stand for, and come back", () => {
    const dir = fresh();
    sys.mkdirat(at, `${dir}/${raw}`, 0o755);
    expect(fs.readdirSync(dir, { encoding: "buffer" })).toEqual([rawBytes]);
    const fd = sys.openat(at, dir, sys.O.O_RDONLY | sys.O.O_DIRECTORY);
    expect(sys.readDirectory(fd).map(({ name, type }) => [name, type])).toEqual([[raw, sys.DT.DIR]]);
    sys.close(fd);
  });

  test("bytes are taken as they are, also a view into a larger buffer", () => {
    const dir = fresh();
    const path = Buffer.concat([Buffer.from("###"), Buffer.from(`${dir}/`), rawBytes, Buffer.from("###")]);
    sys.mknodat(at, path.subarray(3, -3), sys.S.IFREG | 0o644);
    expect(fs.readdirSync(dir, { encoding: "buffer" })).toEqual([rawBytes]);
  });

  test("a NUL inside is refused, since C would stop there", () => {
    expect(() => sys.mkdirat(at, `${fresh()}/a\0b`, 0o755)).toThrow("NUL");
    expect(() => sys.mkdirat(at, Buffer.from("a\0b"), 0o755)).toThrow("NUL");
  });
});

describe("errors", () => {
  test("look as Node's own", () => {
    const path = join(root, "missing", "x");
    const ours = caught(() => sys.mkdirat(at, path, 0o755)) as NodeJS.ErrnoException;
    const nodes = caught(() => fs.mkdirSync(path)) as NodeJS.ErrnoException;
    expect(ours.message).toBe(nodes.message.replace("mkdir", "mkdirat"));
    expect([ours.code, ours.errno, ours.path]).toEqual([nodes.code, nodes.errno, nodes.path]);
    expect(isErrno(ours, "ENOENT")).toBe(true);
  });

  test("say both paths, and quota and stale handles by name", () => {
    const error = caught(() => sys.linkat(at, `${root}/none`, at, `${root}/new`)) as Error;
    expect(error.message).toContain(`linkat '${root}/none' -> '${root}/new'`);
    expect(new sys.SyscallError(122, "write").message).toBe("EDQUOT: disk quota exceeded, write");
    expect(new sys.SyscallError(116, "statx").code).toBe("ESTALE");
  });
});

describe("files", () => {
  test("statx reports what Node's lstat reports", () => {
    const dir = fresh();
    fs.writeFileSync(`${dir}/f`, "12345", { mode: 0o640 });
    fs.linkSync(`${dir}/f`, `${dir}/g`);
    fs.symlinkSync("nowhere", `${dir}/s`);
    sys.lutimesat(at, `${dir}/f`, 1_000_000_001n, -1_500_000_000n);
    const stat = new sys.Stat();
    for (const name of ["f", "g", "s", "."]) {
      const want = fs.lstatSync(`${dir}/${name}`, { bigint: true });
      sys.lstatat(at, `${dir}/${name}`, stat);
      const got = [stat.mode, stat.nlink, stat.uid, stat.gid, stat.size, stat.blocks].map(BigInt);
      expect(got).toEqual([want.mode, want.nlink, want.uid, want.gid, want.size, want.blocks]);
      expect([stat.ino, stat.mtimeNs, stat.ctimeNs]).toEqual([want.ino, want.mtimeNs, want.ctimeNs]);
    }
  });

  test.for([0n, 1n, -1n, 1_700_000_000_123_456_789n, -62_135_596_800_000_000_001n / 1000n])(
    "times are kept to the nanosecond: %d",
    (ns) => {
      const dir = fresh();
      const stat = new sys.Stat();
      const fd = sys.openat(at, `${dir}/f`, sys.O.O_CREAT | sys.O.O_WRONLY, 0o644);
      sys.futimens(fd, 5n, ns);
      expect([sys.fstat(fd, stat).atimeNs, stat.mtimeNs]).toEqual([5n, ns]);
      sys.close(fd);
      sys.symlinkat("f", at, `${dir}/s`);
      sys.lutimesat(at, `${dir}/s`, ns, ns);
      expect(sys.lstatat(at, `${dir}/s`, stat).mtimeNs).toBe(ns);
    },
  );

  test("links, renames, removals and modes do what their names say", () => {
    const dir = fresh();
    const fd = sys.openat(at, dir, sys.O.O_PATH | sys.O.O_DIRECTORY);
    sys.close(sys.openat(fd, "a", sys.O.O_CREAT | sys.O.O_WRONLY, 0o600));
    sys.linkat(fd, "a", fd, "b");
    sys.symlinkat(`to/${raw}`, fd, "s");
    expect(sys.readlinkat(fd, "s")).toBe(`to/${raw}`);
    expect(() => sys.renameat2(fd, "s", fd, "a", sys.rename.noReplace)).toThrow("EEXIST");
    sys.renameat2(fd, "s", fd, "a", sys.rename.exchange);
    expect(sys.readlinkat(fd, "a")).toBe(`to/${raw}`);
    sys.fchmodat(fd, "s", 0o4711);
    expect(fs.statSync(`${dir}/s`).mode).toBe(0o104711);
    sys.mkdirat(fd, "d", 0o700);
    expect(() => sys.unlinkat(fd, "d")).toThrow("EISDIR");
    sys.unlinkat(fd, "d", sys.AT_REMOVEDIR);
    for (const name of ["a", "b", "s"]) sys.unlinkat(fd, name);
    expect(fs.readdirSync(dir)).toEqual([]);
    sys.close(fd);
  });

  test("openat2 keeps every step inside the directory", () => {
    const dir = fresh();
    fs.mkdirSync(`${dir}/in`);
    fs.writeFileSync(`${dir}/secret`, "");
    fs.writeFileSync(`${dir}/in/etc`, "");
    for (const [name, to] of [
      ["up", "../secret"],
      ["abs", "/etc"],
      ["fine", "etc"],
    ] as const)
      fs.symlinkSync(to, `${dir}/in/${name}`);
    const fd = sys.openat(at, `${dir}/in`, sys.O.O_PATH);
    const open = (path: string, resolve: number) => sys.close(sys.openat2(fd, path, { flags: 0, resolve }));
    for (const path of ["up", "abs", "../secret"]) expect(() => open(path, sys.resolve.beneath)).toThrow("EXDEV");
    open("fine", sys.resolve.beneath);
    open("abs", sys.resolve.inRoot);
    expect(() => open("up", sys.resolve.inRoot)).toThrow("ENOENT");
    expect(() => open("fine", sys.resolve.noSymlinks)).toThrow("ELOOP");
    sys.close(fd);
  });

  test("a directory larger than one read is listed whole, each name once", () => {
    const dir = fresh();
    const want = Array.from({ length: 1200 }, (_, i) => `name-${i}-${"x".repeat(i % 200)}`);
    for (const name of want) sys.mknodat(at, `${dir}/${name}`, sys.S.IFREG | 0o600);
    const fd = sys.openat(at, dir, sys.O.O_DIRECTORY);
    const got = sys.readDirectory(fd);
    sys.close(fd);
    expect(got.map(({ name }) => name).sort()).toEqual(want.sort());
  });

  test("xattrs are bytes, of paths and of open files", () => {
    const path = `${fresh()}/f`;
    const fd = sys.openat(at, path, sys.O.O_CREAT | sys.O.O_RDWR, 0o644);
    const value = Uint8Array.of(0, 255, 0, 7);
    sys.lsetxattr(path, "user.a", value);
    sys.fsetxattr(fd, `user.${raw}`, new Uint8Array(0));
    expect(sys.fgetxattr(fd, "user.a")).toEqual(value);
    expect(sys.lgetxattr(path, `user.${raw}`)).toEqual(new Uint8Array(0));
    expect(sys.llistxattr(path).sort()).toEqual(["user.a", `user.${raw}`].sort());
    expect(sys.flistxattr(fd)).toHaveLength(2);
    expect(() => sys.lsetxattr(path, "user.a", value, sys.XATTR_CREATE)).toThrow("EEXIST");
    sys.lremovexattr(path, "user.a");
    sys.fremovexattr(fd, `user.${raw}`);
    expect(sys.llistxattr(path)).toEqual([]);
    expect(sys.lgetxattr(path, "user.a")).toBeUndefined();
    expect(() => sys.lremovexattr(path, "user.a")).toThrow("ENODATA");
    sys.close(fd);
  });

  test("what is not there is told without an error, what cannot be asked is one", () => {
    const stat = new sys.Stat();
    fs.writeFileSync(join(root, "there"), "1234");
    expect([sys.tryLstatat(at, join(root, "there"), stat), stat.size]).toEqual([true, 4]);
    expect(sys.tryLstatat(at, join(root, "absent"), stat)).toBe(false);
    expect(sys.tryLstatat(at, join(root, "there/inside"), stat)).toBe(false);
    expect(() => sys.tryLstatat(at, join(root, "n".repeat(256)), stat)).toThrow("ENAMETOOLONG");
  });

  test("statfs counts as Node's does", async () => {
    const want = fs.statfsSync(root);
    const got = sys.statfs(root);
    expect([got.type, got.blockSize, got.blocks, got.files]).toEqual([want.type, want.bsize, want.blocks, want.files]);
    expect([got.nameLength, got.readOnly]).toEqual([255, false]);
    const fd = sys.openat(at, root, sys.O.O_DIRECTORY);
    expect(sys.fstatfs(fd).type).toBe(want.type);
    await sys.syncfs(fd);
    sys.close(fd);
    await expect(sys.syncfs(-1)).rejects.toThrow("EBADF: bad file descriptor, syncfs");
  });

  test("copy_file_range copies from where the files stand", () => {
    const dir = fresh();
    fs.writeFileSync(`${dir}/from`, "0123456789");
    const from = sys.openat(at, `${dir}/from`, sys.O.O_RDONLY);
    const to = sys.openat(at, `${dir}/to`, sys.O.O_CREAT | sys.O.O_WRONLY, 0o644);
    expect(sys.copyFileRange(from, to, 4)).toBe(4);
    expect(sys.copyFileRange(from, to, 400)).toBe(6);
    expect(sys.copyFileRange(from, to, 400)).toBe(0);
    expect(fs.readFileSync(`${dir}/to`, "utf8")).toBe("0123456789");
    sys.close(from);
    sys.close(to);
  });

  test("a lock is held by one open file, until it is closed", () => {
    const path = `${fresh()}/lock`;
    const [a, b] = [0, 0].map(() => sys.openat(at, path, sys.O.O_CREAT | sys.O.O_RDWR, 0o600)) as [number, number];
    expect(sys.tryFlock(a, "exclusive")).toBe(true);
    expect(sys.tryFlock(b, "shared")).toBe(false);
    sys.close(a);
    sys.flock(b, "shared");
    sys.close(b);
  });
});

describe.skipIf(lacking("root", "mounts"))("as root", () => {
  test.for([
    [1, 3],
    [259, 65536 + 7],
    [4095, 0x3ffff], // XFS keeps no more than 18 bits of a minor number
  ] as const)("device numbers %d:%d arrive as they are", ([major, minor]) => {
    const path = `${fresh()}/dev`;
    sys.mknodat(at, path, sys.S.IFCHR | 0o600, major, minor);
    const stat = sys.lstatat(at, path, new sys.Stat());
    expect([stat.rdevMajor, stat.rdevMinor, stat.mode]).toEqual([major, minor, sys.S.IFCHR | 0o600]);
  });

  test("owners of links themselves, up to the largest id", () => {
    const path = `${fresh()}/s`;
    sys.symlinkat("nowhere", at, path);
    sys.lchownat(at, path, 0xfffffffe, 70_000);
    const stat = sys.lstatat(at, path, new sys.Stat());
    expect([stat.uid, stat.gid]).toEqual([0xfffffffe, 70_000]);
  });

  test("mount and umount; EBUSY has a hint", () => {
    const dir = fresh();
    sys.mount("none", dir, "tmpfs", sys.MS.NODEV, "size=1m");
    const fd = sys.openat(at, dir, sys.O.O_PATH);
    expect(sys.statfs(dir).type).toBe(0x01021994);
    expect(() => sys.umount(dir)).toThrow(`EBUSY: resource busy or locked, umount2 '${dir}' (something inside is open`);
    sys.umount(dir, sys.MNT.DETACH);
    sys.close(fd);
    expect(() => sys.umount(dir)).toThrow("EINVAL");
  });

  test("the new mount API mounts an overlay, and tells what the kernel says is wrong", () => {
    const dir = fresh();
    for (const name of ["lower,1:2", "merged"]) fs.mkdirSync(`${dir}/${name}`);
    fs.writeFileSync(`${dir}/lower,1:2/f`, "");
    const fs1 = sys.fsopen("tmpfs");
    expect(() => sys.fsconfigString(fs1, "nonsense", "1")).toThrow(/EINVAL.*nonsense.*tmpfs: Unknown parameter/);
    sys.close(fs1);
    const overlay = sys.fsopen("overlay");
    for (const lower of ["lower,1:2", "merged"]) sys.fsconfigString(overlay, "lowerdir+", `${dir}/${lower}`);
    sys.fsconfigCreate(overlay);
    const mount = sys.fsmount(overlay, sys.MOUNT_ATTR.NODEV);
    sys.moveMount(mount, `${dir}/merged`);
    expect(fs.readdirSync(`${dir}/merged`)).toEqual(["f"]);
    const copy = sys.openTree(`${dir}/merged`);
    sys.mountSetattr(copy, sys.MOUNT_ATTR.NOEXEC);
    for (const fd of [overlay, mount, copy]) sys.close(fd);
    sys.umount(`${dir}/merged`);
  });

  test.skipIf(lacking("loop", "mkfs.xfs"))("on XFS files share content and count towards projects", async () => {
    await using disk = await loopDisk("xfs", "512M");
    fs.writeFileSync(`${disk.path}/from`, "x".repeat(100_000));
    const from = sys.openat(at, `${disk.path}/from`, sys.O.O_RDONLY);
    const to = sys.openat(at, `${disk.path}/to`, sys.O.O_CREAT | sys.O.O_RDWR, 0o644);
    sys.ficlone(from, to);
    expect(fs.readFileSync(`${disk.path}/to`).equals(fs.readFileSync(`${disk.path}/from`))).toBe(true);
    for (const fd of [from, to]) sys.close(fd);
    fs.mkdirSync(`${disk.path}/project`);
    const project = sys.openat(at, `${disk.path}/project`, sys.O.O_DIRECTORY);
    sys.setProject(project, 4_000_000_000);
    fs.mkdirSync(`${disk.path}/project/inside`);
    const inside = sys.openat(at, `${disk.path}/project/inside`, sys.O.O_DIRECTORY);
    expect([project, inside].map(sys.getProject)).toEqual([4_000_000_000, 4_000_000_000]);
    for (const fd of [project, inside]) sys.close(fd);
    const device = fs
      .readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .find((line) => line.includes(disk.path));
    expect(() => sys.projectQuotaState(device?.split(" ")[0] ?? "")).toThrow(/quotactl '\/dev\/loop/);
  });

  test("a worker with a root of its own confines its calls and leaves the main thread alone", async () => {
    const dir = fresh();
    fs.writeFileSync(`${dir}/inside`, "");
    const script = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData.sys).then((sys) => {
        sys.unshare(sys.CLONE.FS); sys.chroot(workerData.dir); sys.chdir("/");
        parentPort.postMessage(require("node:fs").readdirSync("/"));
      });`;
    const workerData = { sys: new URL("./index.js", import.meta.url).href, dir };
    const worker = new Worker(script, { eval: true, workerData });
    const seen = await new Promise((done, fail) => worker.once("message", done).once("error", fail));
    await worker.terminate();
    expect(seen).toEqual(["inside"]);
    expect(fs.existsSync("/proc/self")).toBe(true);
  });
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("did not fail");
}
