import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Dockerd } from "../../../test/oracle/dockerd.js";
import { find, lacking } from "../../../test/oracle/programs.js";
import { output, run } from "../../../test/oracle/run.js";
import { loopDisk, scratch } from "../../../test/oracle/scratch.js";
import { parseSize } from "../../spec/index.js";
import { Overlay } from "../overlay/overlay.js";
import { Overlay2 } from "../overlay2/overlay2.js";
import { backingFilesystem } from "./backing-filesystem.js";
import { missingDType, supportsDType } from "./d-type.js";
import { survey } from "./survey.js";
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

  test("a file system without d_type is refused, nothing is made on it, and the remedy helps", async () => {
    await using disk = await loopDisk("ext4", "64M", ["-O", "^filetype"]);
    expect(await supportsDType(disk.path)).toBe(false);
    for (const [driver, open] of [
      ["overlay2", Overlay2.open],
      ["overlay", Overlay.open],
    ] as const)
      await expect(open(disk.path)).rejects.toMatchObject({
        code: "unavailable",
        message: `${missingDType(driver, "extfs")} (d_type: found none on extfs; needed: the type of each file in its directory's entry; remedy: ${remedy})`,
      });
    expect(fs.readdirSync(disk.path)).toEqual(["lost+found"]);
    const { checks, drivers } = await survey(disk.path);
    expect(checks.find(({ name }) => name === "d_type")).toMatchObject({ outcome: "failed", remedy });
    expect(Object.fromEntries(drivers.map(({ name, obstacles }) => [name, obstacles]))).toEqual({
      ...{ overlay2: ["d_type"], overlay: ["d_type"], vfs: [] },
    });
    expect(fs.readdirSync(disk.path)).toEqual(["lost+found"]);

    const file = join(disk.path, "../image");
    await output("umount", [disk.path]);
    await output("tune2fs", ["-O", "filetype", file]);
    expect((await run("e2fsck", ["-fp", file])).status).toBeLessThan(2);
    await output("mount", ["-o", "loop", file, disk.path]);
    await (await Overlay2.open(disk.path)).close();
  });
  const remedy =
    "unmount it, then tune2fs -O filetype DEVICE and e2fsck -f DEVICE; or make it anew with mkfs.ext4 -O filetype";

  test.skipIf(lacking("dockerd"))("dockerd refuses them for the same reasons", async () => {
    await using disk = await loopDisk("ext4", "64M", ["-O", "^filetype"]);
    await expect(Dockerd.start(join(disk.path, "root"))).rejects.toThrow(missingDType("overlay2", "extfs"));
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
        message: expect.stringMatching(
          /^driver not supported: overlay2: failed to mount overlay: .*EINVAL.* \(backing file system: found overlayfs; needed: .*; remedy: put the data root on ext4 or XFS/,
        ),
      });
      const { checks } = await survey(at("merged/not/there"));
      const failed = checks.filter(({ outcome }) => outcome === "failed").map(({ name, found }) => [name, found]);
      expect(failed).toEqual([
        ["backing file system", "overlayfs"],
        ["overlay mount", "EINVAL on overlayfs"],
      ]);
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

test("a directory that cannot be written to serves no driver", async () => {
  const { directory, checks, drivers } = await survey("/proc/not/there");
  expect(directory).toBe("/proc");
  expect(checks.at(-1)).toMatchObject({
    name: "directory",
    outcome: "failed",
    remedy: expect.stringContaining("--root"),
  });
  expect(drivers.map(({ obstacles }) => obstacles)).toEqual([["directory"], ["directory"], ["directory"]]);
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
