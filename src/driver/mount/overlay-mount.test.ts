import * as fs from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { removeTree } from "../../disk/index.js";
import { MNT, mount, umount } from "../../sys/index.js";
import { layerByLayer } from "../checks/overlay-probe.js";
import { type MountWay, mountOverlay, type OverlayFeatures, unmountOverlay, wayFor } from "./overlay-mount.js";

const scratch = await mkdtemp(join(tmpdir(), "layerkit-mount-"));
afterAll(() => removeTree(scratch));

const features: OverlayFeatures = {
  index: fs.existsSync("/sys/module/overlay/parameters/index"),
  userxattr: false,
  layerByLayer: lacking("mounts") === undefined && layerByLayer(),
};
const link = (i: number) => `l/${String(i).padStart(26, "A")}`;

/** A home with `count` layers under short names, each with a file of its number, and an upper one. */
function makeHome(name: string, count: number) {
  const home = join(scratch, name);
  for (const dir of ["l", "upper", "work", "merged"]) fs.mkdirSync(join(home, dir), { recursive: true });
  for (let i = 0; i < count; i++) {
    fs.mkdirSync(join(home, `${i}/diff`), { recursive: true });
    fs.writeFileSync(join(home, `${i}/diff/f${i}`), String(i));
    fs.symlinkSync(`../${i}/diff`, join(home, link(i)));
  }
  const lowers = Array.from({ length: count }, (_, i) => link(i));
  return { home, stack: { lowers, upper: { dir: "upper", work: "work" }, target: "merged" } };
}

async function mounted(name: string, count: number, way?: MountWay): Promise<string> {
  const { home, stack } = makeHome(name, count);
  const merged = join(home, "merged");
  await mountOverlay(home, stack, features, way);
  try {
    const files = Array.from({ length: count }, (_, i) => fs.readFileSync(join(merged, `f${i}`), "utf8"));
    expect(files).toEqual(files.map((_, i) => String(i)));
    fs.writeFileSync(join(merged, "new"), "");
    expect(fs.existsSync(join(home, "upper/new"))).toBe(true);
    const lines = fs.readFileSync("/proc/self/mounts", "utf8").split("\n");
    return lines.filter((line) => line.includes(name)).at(-1) ?? "";
  } finally {
    await unmountOverlay(merged);
    await unmountOverlay(merged);
  }
}

describe.skipIf(lacking("mounts"))("mounting", () => {
  test("by options: all in one, as Docker's users know it", async () => {
    const line = await mounted("options", 3);
    const lowers = [0, 1, 2].map((i) => join(scratch, "options", link(i))).join(":");
    expect(line).toContain(`lowerdir=${lowers},upperdir=${scratch}/options/upper,workdir=${scratch}/options/work`);
  });

  test("on a full disk fails: the kernel would mount read-only", async () => {
    const full = join(scratch, "full");
    fs.mkdirSync(full);
    mount("tmpfs", full, "tmpfs", 0, "nr_inodes=40");
    try {
      const { home, stack } = makeHome("full/home", 2);
      for (let i = 0; fs.statfsSync(full).ffree > 0; i++) fs.writeFileSync(join(full, `filler${i}`), "");
      const mounting = mountOverlay(home, stack, features);
      await expect(mounting).rejects.toThrow(`: ENOSPC: no space left on device, mkdir '${home}/work/work'`);
      expect(fs.readFileSync("/proc/self/mounts", "utf8")).not.toContain(`${home}/merged`);
    } finally {
      umount(full, MNT.DETACH);
    }
  });

  test.skipIf(!features.layerByLayer)("layer by layer: more than a page of names, all of them absolute", async () => {
    const line = await mounted("layers", 300);
    for (const i of [0, 150, 299]) expect(line).toContain(`lowerdir+=${join(scratch, "layers", link(i))}`);
  });

  test("relative to the home: 128 layers, and the process stays where it is", async () => {
    const before = process.cwd();
    const line = await mounted("relative", 128, "relative");
    expect(line).toContain(`lowerdir=${link(0)}:${link(1)}:`);
    expect(line).toContain("upperdir=upper,workdir=work");
    expect(process.cwd()).toBe(before);
  });

  test("a home with a path of more than 200 bytes", async () => {
    const long = `long-${"x".repeat(200)}`;
    await mounted(`${long}/few`, 2);
    await mounted(`${long}/many`, 128);
    await mounted(`${long}/${"y".repeat(200)}/many`, 128);
  });

  test("a home whose path has what options are made of", async () => {
    for (const name of [
      "with:colon",
      "with,comma",
      "with space",
      "with\\backslash",
      'with"quote',
      "with:all, of\\them",
    ]) {
      await mounted(name, 3).catch((error: unknown) => expect.fail(`${name}: ${String(error)}`));
      await mounted(`${name}-many`, 128).catch((error: unknown) => expect.fail(`${name}: ${String(error)}`));
    }
  });

  test("the page decides: 4095 bytes of options go in one, one more does not", () => {
    const stack = (length: number) => ({ lowers: ["x".repeat(length)], target: "m" });
    const fixed = "index=off,lowerdir=/h/".length;
    const known = { ...features, index: true };
    expect(wayFor("/h", stack(4095 - fixed), known)).toBe("options");
    expect(wayFor("/h", stack(4096 - fixed), known)).not.toBe("options");
  });

  test("old kernels, and names too long for the new calls, take the home as working directory", () => {
    const { stack } = makeHome("decides", 100);
    expect(wayFor("/var/lib/docker/overlay2", stack, { ...features, layerByLayer: true })).toBe("layers");
    expect(wayFor("/var/lib/docker/overlay2", stack, { ...features, layerByLayer: false })).toBe("relative");
    expect(wayFor(`/${"x".repeat(230)}`, stack, { ...features, layerByLayer: true })).toBe("relative");
    expect(wayFor("/with:colon", { ...stack, lowers: [link(0)] }, { ...features, layerByLayer: false })).toBe(
      "relative",
    );
  });

  test("more than even relative names have room for is refused with Docker's words", async () => {
    const { home, stack } = makeHome("too-many", 140);
    await expect(mountOverlay(home, stack, features, "relative")).rejects.toThrow(
      /cannot mount layer, mount label too large/,
    );
  });

  test("a refusal carries the kernel's reason in one line", async () => {
    const { home, stack } = makeHome("refused", 1);
    for (const way of ["options", "layers", "relative"] as const) {
      if (way === "layers" && !features.layerByLayer) continue;
      const missing = { ...stack, lowers: [link(77)] };
      const failure: unknown = await mountOverlay(home, missing, features, way).catch((error: unknown) => error);
      expect(String(failure), way).toMatch(/^Unavailable: error creating overlay mount to .*refused\/merged: .*ENOENT/);
      expect(String(failure), way).not.toContain("\n");
    }
  });
});
