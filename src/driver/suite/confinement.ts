import { lstatSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { InvalidParameter } from "../../spec/index.js";
import { readTree } from "../read/read-tree.js";
import type { Bench } from "./bench.js";
import type { Cases } from "./cases.js";
import { device, directory, fifo, file, hardlink, opaque, symlink, type WholeChange, whiteout } from "./changes.js";

/** Layers that want out. Whether they are taken or refused, a directory beside them is neither changed nor read. */
export const confinement: Cases = (test, bench) => {
  for (const [name, attack] of Object.entries(attacks)) {
    test(`stays inside: ${name}`, async () => {
      const victim = makeVictim(bench());
      await attempt(bench(), undefined, attack(victim.path));
      victim.assertUntouched();
    });
  }

  for (const [name, attack] of Object.entries(attacks)) {
    test(`stays inside, links in the layer below: ${name}`, async () => {
      const victim = makeVictim(bench());
      const all = attack(victim.path);
      const lower = all.filter(({ kind }) => kind === "symlink" || kind === "directory");
      const parent = await bench()
        .layer(undefined, lower)
        .catch(() => undefined);
      if (parent !== undefined)
        await attempt(
          bench(),
          parent,
          all.filter((change) => !lower.includes(change)),
        );
      victim.assertUntouched();
    });
  }

  test("a walk follows no link out of the tree, at its end or on the way", async () => {
    const victim = makeVictim(bench());
    const links = [
      symlink("abs", victim.path),
      symlink("up", "../../../../victim"),
      symlink("d/file", `${victim.path}/hello`),
    ];
    const id = await bench().layer(undefined, links);
    expect((await bench().diff(id)).map(({ kind }) => kind)).toEqual(["symlink", "directory", "symlink", "symlink"]);
    await bench().within(id, (path) => {
      for (const base of ["abs/hello", "up/hello", "abs/../hello", "../victim/hello"]) {
        expect(() => [...readTree(path, { base })], base).toThrow("ENOENT");
      }
      expect([...readTree(path, { base: "d/file" })]).toMatchObject([{ kind: "symlink" }]);
    });
    victim.assertUntouched();
  });
};

async function attempt(bench: Bench, parent: string | undefined, changes: readonly WholeChange[]): Promise<void> {
  const id = await bench.create(parent);
  try {
    await bench.fill(id, changes);
    await bench.diff(id);
    await bench.driver.remove(id);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidParameter);
  }
}

/** @param victim absolute path of the directory that is not to be touched */
type Attack = (victim: string) => WholeChange[];

const attacks: Readonly<Record<string, Attack>> = {
  "a name with ..": () => [file("../victim/new"), file("../victim/hello")],
  "a name with .. far above": () => [file("../../../../../../../victim/hello")],
  "an absolute name": (victim) => [file(`${victim}/hello`)],
  "a name that is .. itself": () => [file("..")],
  "a file through a relative link": () => [symlink("s", "../../../victim"), file("s/hello"), file("s/new")],
  "a file through an absolute link": (victim) => [symlink("s", victim), file("s/hello"), file("s/new")],
  "a file through a chain of links": (victim) => [symlink("a", "b"), symlink("b", victim), file("a/hello")],
  "a file through a hard-linked link": (victim) => [symlink("s", victim), hardlink("h", "s"), file("h/hello")],
  "a file in place of a link": (victim) => [symlink("s", `${victim}/hello`), file("s", "overwritten")],
  "a directory in place of a link": (victim) => [symlink("s", victim), directory("s", { mode: 0o777, uid: 5 })],
  "a link in place of a directory that was written into": (victim) => [
    directory("d"),
    file("d/before"),
    symlink("d", victim),
    file("d/hello"),
  ],
  "a hard link to a name with ..": () => [hardlink("h", "../victim/hello"), file("h", "overwritten")],
  "a hard link to an absolute name": (victim) => [hardlink("h", `${victim}/hello`)],
  "a hard link through a link": (victim) => [symlink("s", victim), hardlink("h", "s/hello")],
  "a hard link put through a link": (victim) => [symlink("s", victim), file("f"), hardlink("s/new", "f")],
  "a whiteout through a link": (victim) => [symlink("s", victim), whiteout("s/hello"), whiteout("s/inner")],
  "an opaque mark through a link": (victim) => [symlink("s", victim), opaque("s")],
  "a directory's metadata through a link": (victim) => [
    symlink("s", victim),
    directory("s/inner", { mode: 0o777, uid: 5 }),
  ],
  "a device through a link": (victim) => [symlink("s", victim), device("s/dev", "char", 1, 3), fifo("s/fifo")],
  "a symlink through a link": (victim) => [symlink("s", victim), symlink("s/new", "x")],
  "xattrs and times of a link": (victim) => [
    symlink("s", `${victim}/hello`, { mode: 0o777, uid: 5, mtimeNs: 1n, xattrs: { "trusted.mark": "1" } }),
  ],
  "a link into proc": () => [symlink("s", "/proc/self/root/proc/self/cwd"), file("s/hello")],
};

interface Victim {
  readonly path: string;
  assertUntouched(): void;
}

/** A directory beside the data root, with old access times: any look inside would renew them. */
function makeVictim(bench: Bench): Victim {
  const path = bench.outside("victim");
  rmSync(path, { recursive: true, force: true });
  mkdirSync(join(path, "inner"), { recursive: true });
  writeFileSync(join(path, "hello"), "world");
  const paths = [join(path, "hello"), join(path, "inner"), path];
  const old = new Date("2001-01-01");
  for (const at of paths) utimesSync(at, old, old);
  const look = () => paths.map((at) => ({ ...lstatSync(at), atime: 0, mtime: 0, ctime: 0, birthtime: 0 }));
  const before = look();
  return {
    path,
    assertUntouched: () => {
      expect(look()).toEqual(before);
      expect(readdirSync(path)).toEqual(["hello", "inner"]);
    },
  };
}
