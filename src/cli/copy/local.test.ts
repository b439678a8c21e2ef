import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tarOf, untar } from "../../archive/index.js";
import type { Change, Meta } from "../../overlayfs/index.js";
import { encodeName } from "../../spec/index.js";
import { localTree } from "./local-tree.js";
import { LocalWriter } from "./local-writer.js";

const meta: Meta = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 1_700_000_000_000_000_000n, xattrs: new Map() };
const file = (path: string, text: string): Change => ({
  kind: "file",
  path,
  meta: { ...meta, mode: 0o640 },
  size: text.length,
  body: [Buffer.from(text)],
});

async function inDirectory(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "layerkit-"));
  await run(dir).finally(() => rm(dir, { recursive: true }));
}

/** Writes what an archive of these changes holds to `root`, as cp does. */
async function unpack(changes: AsyncIterable<Change> | Iterable<Change>, root: string): Promise<void> {
  const writer = new LocalWriter(encodeName(root), { owners: false });
  for await (const entry of untar(tarOf(changes))) await writer.write(entry);
  await writer.finish();
}

test("a tree that is packed and unpacked again is the same", () =>
  inDirectory(async (dir) => {
    const from = join(dir, "from");
    const odd = Buffer.concat([Buffer.from(`${from}/odd-`), Buffer.from([0xff])]);
    await mkdir(join(from, "sub/deep"), { recursive: true });
    await writeFile(join(from, "sub/file"), "some text");
    await writeFile(join(from, "empty"), "");
    await writeFile(odd, "not UTF-8");
    await chmod(join(from, "sub/file"), 0o4711);
    await link(join(from, "sub/file"), join(from, "sub/same"));
    await symlink("../no/where", join(from, "sub/link"));
    await utimes(join(from, "sub"), 1, 1);
    await unpack(localTree(from, "root", false), join(dir, "to"));
    expect(await listing(join(dir, "to"))).toEqual(await listing(from));
    const [one, other] = await Promise.all(["file", "same"].map((name) => lstat(join(dir, "to/sub", name))));
    expect(one?.ino).toBe(other?.ino);
    expect(await readFile(Buffer.concat([Buffer.from(`${dir}/to/odd-`), Buffer.from([0xff])]), "utf8")).toBe(
      "not UTF-8",
    );
  }));

test("without a name the archive holds what is in the directory, and no root", () =>
  inDirectory(async (dir) => {
    await writeFile(join(dir, "a"), "");
    await mkdir(join(dir, "b"));
    const names: string[] = [];
    for await (const change of localTree(dir, "", false)) names.push(change.path);
    expect(names).toEqual(["a", "b"]);
  }));

test("a link at the source is copied as a link, and followed when asked", () =>
  inDirectory(async (dir) => {
    await writeFile(join(dir, "file"), "x");
    await symlink("file", join(dir, "link"));
    for (const [follow, kind] of [
      [false, "symlink"],
      [true, "file"],
    ] as const)
      for await (const change of localTree(join(dir, "link"), "name", follow))
        expect(change).toMatchObject({ kind, path: "name" });
  }));

describe("an archive out of a container is not trusted", () => {
  const root = { kind: "directory", path: "tree", meta } as const;
  const hostile: [string, Change[], RegExp][] = [
    [
      "a file behind a link that the archive made",
      [root, { kind: "symlink", path: "tree/out", meta, target: "../../victim" }, file("tree/out/file", "bad")],
      /out is no directory/,
    ],
    [
      "a directory in place of such a link",
      [
        root,
        { kind: "symlink", path: "tree/out", meta, target: "../../victim" },
        { kind: "directory", path: "tree/out", meta },
      ],
      /is no directory/,
    ],
    ["a file beside the root", [root, file("other", "bad")], /not in tree/],
    ["a name that climbs", [root, file("tree/../../victim/file", "bad")], /not in tree/],
    [
      "a hard link to what is outside",
      [root, { kind: "hardlink", path: "tree/a", meta, to: "victim/secret" }],
      /not in tree/,
    ],
    [
      "a hard link through a link",
      [
        root,
        { kind: "symlink", path: "tree/out", meta, target: "../../victim" },
        { kind: "hardlink", path: "tree/a", meta, to: "tree/out/secret" },
      ],
      /no directory/,
    ],
  ];
  test.for(hostile)("%s is refused", ([, changes, message]) =>
    inDirectory(async (dir) => {
      await mkdir(join(dir, "victim"));
      await mkdir(join(dir, "here"));
      await writeFile(join(dir, "victim/secret"), "untouched");
      await expect(unpack(changes, join(dir, "here/tree"))).rejects.toThrow(message);
      expect(await readdir(join(dir, "victim"))).toEqual(["secret"]);
      expect(await readdir(join(dir, "here"))).toEqual(["tree"]);
    }),
  );

  test("a file is replaced, and where a link is, the link and not what it points to", () =>
    inDirectory(async (dir) => {
      await writeFile(join(dir, "secret"), "untouched");
      await symlink("secret", join(dir, "target"));
      await unpack([file("any", "new")], join(dir, "target"));
      expect(await readFile(join(dir, "target"), "utf8")).toBe("new");
      expect(await readFile(join(dir, "secret"), "utf8")).toBe("untouched");
      await unpack([file("any", "newer")], join(dir, "target"));
      expect(await readFile(join(dir, "target"), "utf8")).toBe("newer");
    }));

  test("a file does not replace a directory, nor a directory a file", () =>
    inDirectory(async (dir) => {
      await mkdir(join(dir, "d"));
      await writeFile(join(dir, "f"), "");
      await expect(unpack([file("any", "x")], join(dir, "d"))).rejects.toThrow("is a directory");
      await expect(unpack([{ kind: "directory", path: "any", meta }], join(dir, "f"))).rejects.toThrow("no directory");
    }));
});

/** Every name below a directory, bytes as latin1, with all that is kept of it. */
async function listing(dir: string, path = Buffer.from(dir), name = "."): Promise<string[]> {
  const info = await lstat(path);
  const what = info.isSymbolicLink() ? await readlink(path) : info.isFile() ? await readFile(path, "hex") : "";
  const line = `${name} ${info.mode.toString(8)} ${info.nlink} ${Math.floor(info.mtimeMs / 1000)} ${what}`;
  const children = info.isDirectory() ? await readdir(path, { encoding: "buffer" }) : [];
  const below = children.map((child) => {
    return listing(dir, Buffer.concat([path, Buffer.from("/"), child]), `${name}/${child.toString("latin1")}`);
  });
  return [line, ...(await Promise.all(below)).flat()].sort();
}
