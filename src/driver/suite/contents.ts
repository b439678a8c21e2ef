import { expect } from "vitest";
import { LayerkitError, messageOf } from "../../spec/index.js";
import type { Cases } from "./cases.js";
import { device, directory, fifo, file, hardlink, opaque, symlink, type WholeChange, whiteout } from "./changes.js";
import { seededBytes } from "./seeded.js";

/** What goes in comes out: every kind of node with all that belongs to it; and what cannot go in is refused. */
export const contents: Cases = (test, bench) => {
  test("every kind of node comes back from the disk as it was written", async () => {
    const id = await bench().layer(undefined, everything);
    expect(await bench().diff(id)).toEqual(everything);
    const again = await bench().layer(undefined, await bench().diff(id));
    expect(await bench().tree(again)).toEqual(await bench().tree(id));
  });

  test("times keep every nanosecond, also before 1970 and after 2038", async () => {
    const times = [
      -1n,
      -1_000_000_001n,
      -86_400_000_000_000n,
      0n,
      1n,
      2_147_483_648_000_000_001n,
      4_102_444_800_000_000_000n,
    ];
    const layer = times.map((mtimeNs, i) => [
      file(`f${i}`, "", { mtimeNs }),
      directory(`d${i}`, { mode: 0o755, mtimeNs }),
    ]);
    const id = await bench().layer(
      undefined,
      layer.flat().sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
    const found = (await bench().diff(id)).map((change) => [change.path, change.meta?.mtimeNs]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(layer.flat().map(({ path, meta }) => [path, meta?.mtimeNs])),
    );
  });

  test("a directory's time is that of its entry, whatever is put into it later", async () => {
    const mtimeNs = 946_684_800_000_000_001n;
    const id = await bench().layer(undefined, [directory("d", { mode: 0o500, mtimeNs }), file("d/f"), file("d/g")]);
    expect((await bench().diff(id))[0]).toMatchObject({ path: "d", meta: { mtimeNs, mode: 0o500 } });
  });

  test("size counts each inode once, files and link targets, and nothing that went again", async () => {
    const five = [file("a", "12345"), hardlink("b", "a"), symlink("s", "12é"), directory("d"), fifo("p")];
    const replaced = [file("d/x", "1234567"), file("d/x", "123"), symlink("y", "12345"), directory("y")];
    const id = await bench().create();
    const bytes = await bench().fill(id, [...five, ...replaced]);
    expect(bytes).toBe(5 + 4 + 3);
    expect(await bench().driver.diffSize(id)).toBe(bytes);
  });

  test("a large file comes back whole", async () => {
    const large = file("large", seededBytes(3 * 1024 * 1024 + 17, 5));
    const id = await bench().layer(undefined, [large]);
    const [found] = await bench().diff(id);
    expect(found?.kind === "file" && Buffer.compare(found.content, large.content)).toBe(0);
  });

  test("directories that no entry names are made, root's and 0755", async () => {
    const id = await bench().layer(undefined, [file("a/b/c/f"), whiteout("g/h/i")]);
    const tree = await bench().tree(id);
    for (const path of ["a", "a/b", "a/b/c", "g", "g/h"]) expect(tree).toContain(`"${path}" dir 755 0:0`);
  });

  test("within a layer the later entry counts", async () => {
    const id = await bench().layer(undefined, [
      file("f", "1"),
      file("f", "2", { mode: 0o600 }),
      directory("d"),
      file("d/x"),
      file("d", "no more"),
      file("e"),
      directory("e"),
      file("e/x"),
      symlink("s", "d"),
      directory("s"),
      file("s/x"),
      directory("j", { mode: 0o700 }),
      file("j/x"),
      directory("j", { mode: 0o711 }),
      whiteout("w"),
      file("w"),
    ]);
    expect((await bench().tree(id)).map((line) => line.split(" 0:0")[0])).toEqual([
      '"d" file "no more" 644',
      '"e" dir 755',
      '"e/x" file "e/x" 644',
      '"f" file "2" 600',
      '"j" dir 711',
      '"j/x" file "j/x" 644',
      '"s" dir 755',
      '"s/x" file "s/x" 644',
      '"w" file "w" 644',
    ]);
  });

  test("a hard link's metadata becomes that of the file", async () => {
    const id = await bench().layer(undefined, [
      file("a", "x", { mode: 0o644 }),
      hardlink("b", "a", { mode: 0o4711, uid: 7, gid: 8, mtimeNs: 5n }),
    ]);
    const [first, second] = await bench().diff(id);
    expect(first?.meta).toMatchObject({ mode: 0o4711, uid: 7, gid: 8, mtimeNs: 5n });
    expect(second).toMatchObject({ kind: "hardlink", to: "a" });
  });

  test("a hard link to a symlink is one of the symlink itself", async () => {
    const id = await bench().layer(undefined, [symlink("s", "nowhere"), hardlink("t", "s", { mode: 0o777 })]);
    expect(await bench().tree(id)).toEqual(['"s" link nowhere 777 0:0', '"t" link nowhere 777 0:0 = s']);
  });

  test("a symlink on the way is followed inside the layer, as a root directory would", async () => {
    const id = await bench().layer(undefined, [
      directory("d"),
      symlink("abs", "/d"),
      symlink("up", "../../../d"),
      file("abs/1"),
      file("up/2"),
      file("up/abs", "3"),
    ]);
    expect((await bench().tree(id)).filter((line) => line.includes(" file "))).toEqual([
      '"d/1" file "abs/1" 644 0:0',
      '"d/2" file "up/2" 644 0:0',
      '"d/abs" file "3" 644 0:0',
    ]);
  });

  for (const [name, changes, message, Kind] of refused) {
    test(`refused with one line: ${name}`, async () => {
      const id = await bench().create();
      const failure: unknown = await bench()
        .fill(id, [file("before"), ...changes])
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(LayerkitError);
      expect(failure).toMatchObject({ code: Kind });
      expect(messageOf(failure)).toMatch(message);
      expect(messageOf(failure)).not.toContain("\n");
      expect(await bench().tree(id)).toEqual([]);
    });
  }

  test("xattrs that the file system does not have are left out, as Docker does", async () => {
    const id = await bench().layer(undefined, [
      file("f", "", { xattrs: { "system.nonsense": "x", "user.kept": "y" } }),
    ]);
    expect(await bench().tree(id)).toEqual(['"f" file "" 644 0:0 user.kept=79']);
  });
};

/** cap_net_raw, effective and permitted, revision 2. */
const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");

/** Device numbers are the largest that XFS takes. */
const everything: WholeChange[] = [
  device("block", "block", 511, 262_143),
  device("char", "char", 12, 5),
  directory("dir", { mode: 0o1777, uid: 1000, gid: 4_294_967_294 }),
  file(`dir/${"n".repeat(255)}`, ""),
  file("dir/\udc80\udcff", "not UTF-8"),
  file("dir/é", "UTF-8"),
  symlink("dir/\udce9", "\udce8/é"),
  file("empty", "", { mode: 0 }),
  fifo("fifo"),
  file("ping", "", { mode: 0o755, xattrs: { "security.capability": capability } }),
  file("setuid", "ok", { mode: 0o6755, uid: 4_000_000_000, gid: 5 }),
  hardlink("setuid-too", "setuid", { mode: 0o6755, uid: 4_000_000_000, gid: 5 }),
  symlink("symlink", "../../outside/../\n", { mode: 0o777, uid: 3, gid: 4 }),
];

type Refused = readonly [name: string, changes: WholeChange[], message: RegExp, code: string];

const bad = "invalid-parameter";
const own = (name: string) => file("x", "", { xattrs: { [name]: "y" } });

const refused: readonly Refused[] = [
  ["a file where a directory is needed", [file("a"), file("a/b")], /"a(\/b)?".*directory/, bad],
  ["written and then deleted", [file("e"), whiteout("e")], /"e": the layer both writes it and deletes it/, bad],
  ["a directory written and then deleted", [file("d/e"), whiteout("d")], /"d": the layer both writes it/, bad],
  ["a hard link to nothing", [hardlink("b", "a")], /"b": a hard link to "a"/, bad],
  ["a hard link to itself", [hardlink("b", "b")], /"b": a hard link to "b", which is itself/, bad],
  [
    "a hard link to a directory",
    [directory("d"), hardlink("b", "d")],
    /"b": a hard link to "d", which is a directory/,
    bad,
  ],
  ["a hard link below a file", [file("f"), hardlink("b", "f/x")], /"b": a hard link to "f\/x"/, bad],
  [
    "overlayfs's opaque mark",
    [directory("d", { xattrs: { "trusted.overlay.opaque": "y" } })],
    /"d": carries overlayfs's own/,
    bad,
  ],
  ["overlayfs's redirect", [own("trusted.overlay.redirect")], /"x": carries overlayfs's own/, bad],
  ["overlayfs's mark of user namespaces", [own("user.overlay.whiteout")], /"x": carries overlayfs's own/, bad],
  ["a device 0:0", [device("z", "char", 0, 0)], /"z": a character device 0:0/, bad],
  ["a device number that would be cut to 0:0", [device("z", "char", 4096, 1 << 20)], /"z": Linux has no device/, bad],
  ["an owner that means none", [file("o", "", { uid: 0xffff_ffff })], /"o": Linux has no owner/, bad],
  ["a name of 256 bytes", [file("n".repeat(256))], /longer than 255 bytes/, bad],
  ["a path beyond 4096 bytes", [file(`${"dir/".repeat(1100)}f`)], /longer/, bad],
  ["a NUL in a name", [file("a\0b")], /not a file name/, bad],
  ["a NUL in a link target", [symlink("s", "a\0b")], /"s": a symlink to no name/, bad],
  ["an empty link target", [symlink("s", "")], /"s": a symlink to no name/, bad],
  ["a parent that is a link to nothing", [symlink("s", "nowhere"), file("s/f")], /"s".*directory/, bad],
  ["a parent that is a link to itself", [symlink("s", "s"), file("s/f")], /round in circles/, bad],
  ["less data than the size", [{ ...file("short"), size: 9 }], /"short": ends after 5 of 9 bytes/, "data-loss"],
  ["more data than the size", [{ ...file("long"), size: 3 }], /"long": has more data than the 3 bytes/, "data-loss"],
  ["a root that is a file", [file("")], /the root of a layer cannot be a file/, bad],
  ["a directory made opaque that is a file", [file("f"), opaque("f")], /"f"/, bad],
];
