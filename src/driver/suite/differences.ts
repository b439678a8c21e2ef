import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { AT_FDCWD, mknodat, S } from "../../sys/index.js";
import type { Cases } from "./cases.js";
import { directory, file, hardlink, symlink, type WholeChange } from "./changes.js";
import { listedByComparing } from "./listed-by-comparing.js";
import { playRandomly } from "./random-play.js";

/** What is found after work in a mount: the listing of `docker diff`, and the layer that a commit makes. */
export const differences: Cases = (test, bench) => {
  const inMount = (name: string, lower: readonly WholeChange[], work: (path: string) => void, expected: string[]) => {
    test(name, async () => {
      const base = await bench().layer(undefined, lower);
      const upper = await bench().create(base);
      await bench().within(upper, work);
      expect((await bench().changes(upper)).sort()).toEqual([...expected].sort());
      await assertDiffRebuilds(base, upper);
    });
  };

  /** The diff upon the parent makes the same tree, and has no more than it needs. */
  const assertDiffRebuilds = async (base: string | undefined, upper: string) => {
    const diff = await bench().diff(upper);
    const again = await bench().layer(base, diff);
    expect(withoutLinks(await bench().tree(again))).toEqual(withoutLinks(await bench().tree(upper)));
  };

  test("a new name for a file below is a hard link in the layer's diff", async () => {
    const base = await bench().layer(undefined, [file("a")]);
    const upper = await bench().create(base);
    await bench().within(upper, (path) => fs.linkSync(join(path, "a"), join(path, "b")));
    expect(await bench().diff(upper)).toMatchObject([
      { kind: "file", path: "a" },
      { kind: "hardlink", path: "b", to: "a" },
    ]);
    expect(await bench().changes(upper)).toEqual(["A /b"]);
    await assertDiffRebuilds(base, upper);
  });

  inMount("nothing done, nothing listed", sample, () => {}, []);

  inMount(
    "upstream's MountChanges: changed, deleted, chmod alone, added",
    [file("testfile1.txt"), file("testfile2.txt"), file("testfile3.txt")],
    (path) => {
      fs.chmodSync(`${path}/testfile1.txt`, 0o755);
      fs.writeFileSync(`${path}/testfile1.txt`, "mount data");
      fs.rmSync(`${path}/testfile2.txt`);
      fs.chmodSync(`${path}/testfile3.txt`, 0o755);
      fs.writeFileSync(`${path}/testfile4.txt`, "mount data");
    },
    ["C /testfile1.txt", "D /testfile2.txt", "C /testfile3.txt", "A /testfile4.txt"],
  );

  inMount(
    "upstream's ChangesDirs: thirteen ways to change a tree",
    sample,
    (path) => {
      const at = (name: string) => join(path, name);
      fs.rmSync(at("dir1"), { recursive: true });
      fs.rmSync(at("file1"));
      fs.rmSync(at("symlink1"));
      fs.writeFileSync(at("file2"), "fileNN\n");
      fs.rmSync(at("file3"));
      fs.writeFileSync(at("file3"), "fileMM\n");
      fs.utimesSync(at("file4"), 1_800_000_000, 1_800_000_000);
      fs.rmSync(at("dir2"), { recursive: true });
      fs.writeFileSync(at("dir2"), "dir to file\n");
      fs.rmSync(at("file5"));
      fs.mkdirSync(at("file5"));
      fs.writeFileSync(at("filenew"), "filenew\n");
      fs.mkdirSync(at("dirnew"));
      fs.symlinkSync("targetnew", at("symlinknew"));
      fs.rmSync(at("symlink2"));
      fs.symlinkSync("target2change", at("symlink2"));
      fs.utimesSync(at("dir3"), 1_800_000_000, 1_800_000_000);
    },
    [
      "D /dir1",
      "C /dir2",
      "A /dirnew",
      "D /file1",
      "C /file2",
      "C /file3",
      "C /file4",
      "C /file5",
      "A /filenew",
      "D /symlink1",
      "C /symlink2",
      "A /symlinknew",
    ],
  );

  inMount(
    "what was opened for writing and left as it was is not listed",
    sample,
    (path) => fs.closeSync(fs.openSync(join(path, "dir3/file1-1"), "r+")),
    [],
  );

  inMount(
    "a directory removed and made again hides what was in it",
    sample,
    (path) => {
      fs.rmSync(join(path, "dir1"), { recursive: true });
      fs.mkdirSync(join(path, "dir1"));
      fs.writeFileSync(join(path, "dir1/new"), "");
    },
    ["C /dir1", "A /dir1/new", "D /dir1/file1-1", "D /dir1/file1-2"],
  );

  inMount(
    "a directory moved is one gone and one new",
    sample,
    (path) => {
      fs.cpSync(join(path, "dir1"), join(path, "moved"), { recursive: true });
      fs.rmSync(join(path, "dir1"), { recursive: true });
      fs.mkdirSync(join(path, "purely-new"));
      fs.writeFileSync(join(path, "purely-new/f"), "");
      fs.renameSync(join(path, "purely-new"), join(path, "dir1"));
      fs.renameSync(join(path, "dir2/file2-1"), join(path, "dir1/file2-1"));
    },
    [
      "A /dir1/f",
      "A /dir1/file2-1",
      "C /dir1",
      "C /dir2",
      "D /dir1/file1-1",
      "D /dir1/file1-2",
      "D /dir2/file2-1",
      "A /moved",
      "A /moved/file1-1",
      "A /moved/file1-2",
    ],
  );

  inMount(
    "deep inside, each directory above is listed once, before what is in it",
    [directory("a"), directory("a/b"), directory("a/b/c"), file("a/b/c/f"), file("a/b/g"), file("z")],
    (path) => {
      fs.writeFileSync(join(path, "a/b/c/new1"), "");
      fs.writeFileSync(join(path, "a/b/c/new2"), "");
      fs.rmSync(join(path, "a/b/g"));
    },
    ["C /a", "C /a/b", "C /a/b/c", "A /a/b/c/new1", "A /a/b/c/new2", "D /a/b/g"],
  );

  test("changes come in the order of the walk, a directory first", async () => {
    const base = await bench().layer(undefined, [directory("a"), file("a/f"), file("a-b")]);
    const upper = await bench().create(base);
    await bench().within(upper, (path) => {
      for (const name of ["a/f", "a-b"]) fs.writeFileSync(join(path, name), "changed");
      fs.writeFileSync(join(path, "\ue000"), "");
      fs.writeFileSync(join(path, "\u{1f600}"), "");
    });
    const expected = ["C /a", "C /a/f", "C /a-b", "A /\ue000", "A /\u{1f600}"];
    expect(await bench().changes(upper)).toEqual(expected);
    expect((await bench().diff(upper)).map(({ path }) => `/${path}`)).toEqual(expected.map((line) => line.slice(2)));
  });

  test("a layer upon nothing has all of its tree added", async () => {
    const id = await bench().layer(undefined, [directory("d"), file("d/f")]);
    expect(await bench().changes(id)).toEqual(["A /d", "A /d/f"]);
  });

  test("a socket is listed, but no part of the layer's diff", async () => {
    const id = await bench().create(await bench().layer(undefined, [file("f")]));
    await bench().within(id, (path) => mknodat(AT_FDCWD, join(path, "s"), S.IFSOCK | 0o600));
    expect(await bench().changes(id)).toEqual(["A /s"]);
    expect(await bench().diff(id)).toEqual([]);
  });

  test("a file that shrinks while it is read is told, one that vanishes is left out", async () => {
    const id = await bench().create(await bench().layer(undefined, [file("below")]));
    await bench().within(id, (path) => {
      for (const name of ["a", "b", "c"]) fs.writeFileSync(join(path, name), name.repeat(1000));
    });
    await using mounted = await bench().driver.mount(id);
    const seen: string[] = [];
    const read = async () => {
      for await (const change of bench().driver.diff(id)) {
        seen.push(change.path);
        if (change.path === "a") fs.rmSync(join(mounted.path, "b"));
        if (change.path === "c") fs.truncateSync(join(mounted.path, "c"), 10);
        if (change.kind === "file") for await (const _ of change.body);
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining('"c": changed') });
    expect(seen).toEqual(["a", "c"]);
  });

  for (const seed of [1, 2, 3, 4, 5, 6]) {
    test(`random work, seed ${seed}: listed as a comparison of the trees lists it, and rebuilt from its diff`, async () => {
      const base = await bench().layer(await bench().layer(undefined, sample), [
        file("dir1/upon"),
        hardlink("hl", "dir1/upon"),
      ]);
      const init = await bench().create(base);
      await bench().within(init, (path) => playRandomly(path, seed * 1000, 30));
      const upper = await bench().create(init);
      await bench().within(upper, (path) => playRandomly(path, seed, 120));
      for (const [lower, layer] of [
        [base, init],
        [init, upper],
      ] as const) {
        await using below = await bench().driver.mount(lower);
        const expected = await bench().within(layer, (path) => listedByComparing(below.path, path));
        expect((await bench().changes(layer)).sort()).toEqual(expected);
        await assertDiffRebuilds(lower, layer);
      }
    });
  }
};

/** Which names share an inode is a test of its own: not every driver can tell. */
function withoutLinks(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ = .*/, ""));
}

/** The tree that upstream's archive tests work upon. */
const sample: readonly WholeChange[] = [
  ...["file1", "file2", "file3", "file4", "file5", "file6", "file7"].map((name) => file(name, `${name}\n`)),
  directory("dir1"),
  file("dir1/file1-1", "file1-1\n"),
  file("dir1/file1-2", "file1-2\n"),
  directory("dir2"),
  file("dir2/file2-1", "file2-1\n"),
  file("dir2/file2-2", "file2-2\n"),
  directory("dir3"),
  file("dir3/file1-1", "file3-1\n"),
  file("dir3/file3-2", "file3-2\n"),
  directory("dir4"),
  file("dir4/file3-1", "file4-1\n"),
  file("dir4/file3-2", "file4-2\n"),
  symlink("symlink1", "target1"),
  symlink("symlink2", "target2"),
  symlink("symlink3", "file1"),
  symlink("symlink4", "symlink3"),
  symlink("dirSymlink", "dir1"),
];
