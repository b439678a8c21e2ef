import { mkdir, readdir } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { layerkitMain } from "./oracle/layerkitd.js";
import { lacking, program } from "./oracle/programs.js";
import { output, run } from "./oracle/run.js";
import { loopDisk, scratch } from "./oracle/scratch.js";

const check = (...args: string[]) => run(process.execPath, [layerkitMain, ...args]);

interface Told {
  readonly Directory: string;
  readonly Driver: string;
  readonly Checks: readonly { Name: string; Outcome: string; Found: string; Needed: string; Remedy: string }[];
  readonly Drivers: readonly { Name: string; Works: boolean; Obstacles: readonly string[] }[];
}

describe.skipIf(lacking("root", "mounts"))("layerkit info --check", () => {
  test("tells each check before anything is there, as text and as one object, and leaves nothing", async () => {
    await using place = await scratch("/dev/shm");
    const root = join(place.path, "not/yet");
    const [text, json] = [
      await check("--root", root, "info", "--check"),
      await check("info", "--check", root, "--format", "json"),
    ];
    expect([text.status, text.stderr, json.status, json.stdout.split("\n").length]).toEqual([0, "", 0, 2]);
    const told: Told = JSON.parse(json.stdout);
    expect(told).toMatchObject({ Directory: place.path, Driver: "overlay2" });
    expect(told.Drivers.map(({ Name, Works }) => [Name, Works])).toEqual([
      ["overlay2", true],
      ["overlay", true],
      ["vfs", true],
    ]);
    for (const { Name, Found, Needed, Outcome } of told.Checks)
      expect(text.stdout).toMatch(
        new RegExp(`^${Outcome} +${Name} .*${Found.slice(0, 10)}.* ${Needed.slice(0, 5)}`, "m"),
      );
    expect(told.Checks[0]).toMatchObject({ Name: "kernel version for overlay2", Found: release() });
    expect(text.stdout).toMatch(/^overlay2 would be used here\.\n$/m);
    expect(await readdir(place.path)).toEqual([]);
  });

  test.skipIf(lacking("loop", "mkfs.ext4"))(
    "looks at a driver's home, where that is a file system of its own",
    async () => {
      await using place = await scratch("/dev/shm");
      await using disk = await loopDisk("ext4", "64M", ["-O", "^filetype"]);
      const home = join(place.path, "overlay2");
      await mkdir(home);
      await output("mount", ["--bind", disk.path, home]);
      try {
        const told: Told = JSON.parse((await check("info", "--check", place.path, "--format", "json")).stdout);
        expect(told).toMatchObject({ Directory: home, Driver: "" });
        expect(told.Checks.find(({ Name }) => Name === "d_type")).toMatchObject({
          Outcome: "failed",
          Found: "none on extfs",
        });
        const refused = await check("--root", place.path, "images");
        expect(refused.stderr).toMatch(
          /^layerkit: overlay2: the backing extfs .* \(d_type: found none on extfs; needed: .*; remedy: .*\)\n$/,
        );
      } finally {
        await output("umount", [home]);
      }
    },
  );

  test("fails where no driver works, or not the one that is named or has data there", async () => {
    await using place = await scratch("/dev/shm");
    const nowhere = await check("info", "--check", "/proc/x");
    expect(nowhere).toMatchObject({
      status: 1,
      stderr: "",
      stdout: expect.stringMatching(/No storage driver can run here\.\n$/),
    });

    const at = (name: string) => join(place.path, name);
    for (const name of ["lower", "upper", "work", "merged"]) await mkdir(at(name));
    const options = `lowerdir=${at("lower")},upperdir=${at("upper")},workdir=${at("work")}`;
    await output("mount", ["-t", "overlay", "-o", options, "overlay", at("merged")]);
    try {
      const merged = at("merged");
      expect(await check("info", "--check", merged)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining("\nvfs would be used here"),
      });
      expect((await check("--storage-driver", "overlay2", "info", "--check", merged)).status).toBe(1);
      await mkdir(join(merged, "overlay/x"), { recursive: true });
      expect((await check("info", "--check", merged)).status).toBe(1);
      await mkdir(join(merged, "overlay2/x"), { recursive: true });
      expect(await check("info", "--check", merged)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/contains several valid graphdrivers: overlay2, overlay;.*\n$/),
      });
    } finally {
      await output("umount", [at("merged")]);
    }
  });

  test.skipIf(lacking("namespaces", "setpriv"))(
    "tells an ordinary user what is missing, and what a namespace gives",
    async () => {
      await using place = await scratch("/dev/shm");
      await output("chmod", ["-R", "0777", place.path]);
      const ordinary = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
      const info = [process.execPath, layerkitMain, "info", "--check", place.path, "--format", "json"];
      const alone: Told = JSON.parse((await run("setpriv", [...ordinary, ...info])).stdout);
      expect(alone.Driver).toBe("vfs");
      expect(alone.Checks.find(({ Name }) => Name === "overlay mount")).toMatchObject({
        ...{ Outcome: "failed", Remedy: expect.stringContaining("unshare --user --map-root-user --mount") },
      });
      const unshare = [program("unshare"), "--user", "--map-root-user", "--mount"];
      const inside: Told = JSON.parse((await run("setpriv", [...ordinary, ...unshare, ...info])).stdout);
      expect(inside.Driver).toBe("overlay2");
      expect(inside.Checks.find(({ Name }) => Name === "user namespace")).toMatchObject({
        ...{ Outcome: "ok", Found: `in one, on Linux ${release()}` },
      });
    },
  );
});
