import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { find, lacking } from "../../../test/oracle/programs.js";
import { output } from "../../../test/oracle/run.js";
import { loopDisk, scratch } from "../../../test/oracle/scratch.js";
import { Overlay2 } from "../overlay2/overlay2.js";
import { parseSize } from "../storage-size.js";
import { backingFilesystem } from "./backing-filesystem.js";
import { supportsDType } from "./d-type.js";
import { isIdentity } from "./user-namespace.js";

const probes = (dir: string) => fs.readdirSync(dir).filter((name) => /check|probe/.test(name));

describe.skipIf(lacking("mounts", "loop", "mkfs.xfs", "mkfs.ext4"))("on file systems of every kind", () => {
  for (const [type, name, options] of [
    ["xfs", "xfs", ["-m", "reflink=1"]],
    ["ext4", "extfs", []],
  ] as const) {
    test(`${type} is taken, named ${name}, and left as it was but for the home`, async () => {
      await using disk = await loopDisk(type, "320M", options);
      const driver = await Overlay2.open(disk.path);
      expect(driver.status).toEqual([
        ["Backing Filesystem", name],
        ["Supports d_type", "true"],
        ["Native Overlay Diff", "true"],
        ["userxattr", "false"],
      ]);
      expect(fs.readdirSync(disk.path).filter((entry) => entry !== "lost+found")).toEqual(["overlay2"]);
      const made = fs.readdirSync(join(disk.path, "overlay2"));
      expect(made).toEqual(type === "xfs" ? ["backingFsBlockDev", "l"] : ["l"]);
      await driver.close();
    });
  }

  test("a size limit needs XFS with project quota", async () => {
    await using xfs = await loopDisk("xfs", "320M");
    await using ext4 = await loopDisk("ext4", "64M");
    const storageOptions = ["overlay2.size=1G"];
    await expect(Overlay2.open(xfs.path, { storageOptions })).rejects.toThrow(
      "Storage option overlay2.size not supported. Filesystem does not support Project Quota: " +
        "Filesystem does not support, or has not enabled quotas",
    );
    await expect(Overlay2.open(ext4.path, { storageOptions })).rejects.toThrow(
      "Storage Option overlay2.size only supported for backingFS XFS. Found extfs",
    );
    const driver = await Overlay2.open(xfs.path);
    const id = "0".repeat(64);
    await expect(driver.create(id, undefined, { storage: { size: "10G" } })).rejects.toThrow(
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    );
    await expect(driver.create(id, undefined, { storage: { sise: "10G" } })).rejects.toThrow("Unknown option sise");
    expect(await driver.has(id)).toBe(false);
    await driver.close();
  });

  test("a file system without d_type is told so, with the remedy, and nothing is made on it", async () => {
    await using disk = await loopDisk("ext4", "64M", ["-O", "^filetype"]);
    expect(await supportsDType(disk.path)).toBe(false);
    // This kernel does not even mount an overlay on it; others do.
    await expect(Overlay2.open(disk.path)).rejects.toThrow(
      /overlay2: (failed to mount overlay|.* without d_type support)/,
    );
    expect(fs.readdirSync(disk.path)).toEqual(["lost+found"]);
  });

  test("overlay on overlay is refused with the kernel's reason", async () => {
    await using disk = await loopDisk("ext4", "64M");
    const at = (name: string) => join(disk.path, name);
    for (const name of ["lower", "upper", "work", "merged"]) fs.mkdirSync(at(name));
    const options = `lowerdir=${at("lower")},upperdir=${at("upper")},workdir=${at("work")}`;
    await output("mount", ["-t", "overlay", "-o", options, "overlay", at("merged")]);
    try {
      expect(backingFilesystem(at("merged"))).toBe("overlayfs");
      await expect(Overlay2.open(at("merged"))).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/^driver not supported: overlay2: failed to mount overlay: .*EINVAL/),
      });
      expect(probes(at("merged"))).toEqual([]);
    } finally {
      await output("umount", [at("merged")]);
    }
  });

  test("what a probe killed in the middle has left is gone after the next start", async () => {
    await using disk = await loopDisk("ext4", "64M");
    const driver = await Overlay2.open(disk.path);
    const home = join(disk.path, "overlay2");
    fs.mkdirSync(join(home, "opaque-bug-checkAb1_xZ/merged"), { recursive: true });
    await output("mount", ["-t", "tmpfs", "none", join(home, "opaque-bug-checkAb1_xZ/merged")]);
    fs.mkdirSync(join(home, "opaque-bug-check-of-somebody"));
    await Overlay2.open(disk.path);
    expect(probes(home)).toEqual(["opaque-bug-check-of-somebody"]);
    await driver.close();
  });
});

test.skipIf(lacking("mounts"))("options are Docker's, and so are the messages about them", async () => {
  await using root = await scratch();
  const refuse = (option: string) => expect(Overlay2.open(root.path, { storageOptions: [option] })).rejects;
  await refuse("overlay2.sise=1").toThrow("overlay2: unknown option overlay2.sise");
  await refuse("overlay2.size").toThrow("Unable to parse key/value option: overlay2.size");
  await refuse("overlay2.size=many").toThrow("invalid size: 'many'");
  await refuse("overlay2.override_kernel_check=perhaps").toThrow("override_kernel_check");
  const driver = await Overlay2.open(root.path, { storageOptions: ["Overlay2.override_kernel_check=true"] });
  await driver.close();
});

test("sizes are in powers of 1024, however the unit is spelled", () => {
  const sizes = ["512", "1k", "1.5 KB", "10G", "2gib", "1T", "0"].map(parseSize);
  expect(sizes).toEqual([512, 1024, 1536, 10 * 1024 ** 3, 2 * 1024 ** 3, 1024 ** 4, 0]);
  for (const wrong of ["", "-1", "1x", "G", "1 2", "0x10"])
    expect(() => parseSize(wrong), wrong).toThrow("invalid size");
});

test("only the whole range of ids mapped to itself is no user namespace", () => {
  expect(isIdentity("         0          0 4294967295\n")).toBe(true);
  expect(isIdentity("         0       1000          1\n")).toBe(false);
  expect(isIdentity("         0     100000      65536\n     65536     165536      65536\n")).toBe(false);
});

test.skipIf(find("mount") === undefined)("the names of file systems are those of docker info", () => {
  expect(backingFilesystem("/proc")).toBe("<unknown>");
  if (fs.existsSync("/dev/shm")) expect(["tmpfs", "<unknown>"]).toContain(backingFilesystem("/dev/shm"));
});
