import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check, deepCheck, readRoot } from "../../src/doctor/index.js";
import { Dockerd } from "../oracle/dockerd.js";
import { dockerArchive } from "../oracle/image-archives.js";
import { Layerkitd } from "../oracle/layerkitd.js";
import { lacking } from "../oracle/programs.js";
import { type RawEntry, rawTar } from "../oracle/raw-tar.js";
import { loopDisk } from "../oracle/scratch.js";

const why = lacking("root", "mounts", "loop", "dockerd", "docker", "mkfs.xfs");

/** Changes a header: octal numbers of so many bytes at a place. */
const owned = (uid: number, gid: number) => (header: Buffer) => {
  header.write(`${uid.toString(8).padStart(7, "0")}\0`, 108, "latin1");
  header.write(`${gid.toString(8).padStart(7, "0")}\0`, 116, "latin1");
};

/** cap_net_raw=ep, revision 2. */
const capability = Buffer.from("0100000200200000000000000000000000000000", "hex").toString("latin1");

/** Layers that are odd, and right: what is on disk is not simply what each entry says. */
const layers: readonly (readonly RawEntry[])[] = [
  [
    { name: "./", type: "5", mode: 0o700 },
    { name: "./a/", type: "5", mode: 0o1777 },
    { name: "./a/file", content: "content", mode: 0o4755, header: owned(1000, 100) },
    // The last of its names decides over owner, mode and time of a file.
    { name: "a/first", content: "linked", mode: 0o600 },
    { name: "a/second", type: "1", linkname: "a/first", mode: 0o644, header: owned(7, 8), pax: { mtime: "1000.5" } },
    { name: "a/third", type: "1", linkname: "./a/second", mode: 0o640, header: owned(9, 10) },
    { name: "old", content: "before 1970", pax: { mtime: "-86400" } },
    { name: "late", content: "after 2262", pax: { mtime: "99999999999" } },
    { name: "fine", content: "to the nanosecond", pax: { mtime: "1600000000.123456789" } },
    { name: Buffer.from([0x6c, 0x61, 0x74, 0x69, 0x6e, 0xff]), content: "no UTF-8" },
    { name: "pipe", type: "6", mode: 0o622 },
    { name: "null", type: "3", device: [1, 3], mode: 0o666 },
    { name: "target/kept", content: "kept" },
    { name: "to-target", type: "2", linkname: "target" },
    { name: "to-target/through", content: "lies in target" },
    { name: "x".repeat(90), content: "long", pax: { path: `${"long/".repeat(30)}name` } },
    { name: "ping", content: "program", mode: 0o755, pax: { "SCHILY.xattr.security.capability": capability } },
    { name: "implied/parents/here", content: "no entry for its directories" },
    { name: "empty", content: "" },
    { name: "gone/one", content: "1" },
    { name: "gone/two", content: "2" },
    { name: "swap", content: "a file now, a directory above" },
    { name: "swapped/inside", content: "a directory now, a file above" },
  ],
  [
    { name: ".wh.empty", mode: 0 },
    { name: "gone/.wh..wh..opq", mode: 0o644 },
    { name: "gone/three", content: "3" },
    { name: "target/.wh.kept", mode: 0 },
    { name: "swap/", type: "5" },
    { name: "swap/inside", content: "now" },
    { name: "swapped", content: "now" },
    { name: ".wh.neverwas", mode: 0 },
    { name: "deep/down/.wh.neverwas", mode: 0 },
    { name: "a/", type: "5", mode: 0o755 },
    { name: "a/file", content: "replaced", mode: 0o600 },
  ],
  [
    // Deleted and there again, and a directory begun anew.
    { name: ".wh.swapped", mode: 0 },
    { name: "swapped/", type: "5", mode: 0o711 },
    { name: "swapped/again", content: "x" },
    { name: "to-target/new", content: "a directory in place of the link, or through it" },
    { name: "/absolute", content: "x" },
  ],
  [],
];

const archive = () => dockerArchive([{ layers: layers.map((entries) => rawTar(entries)), tags: ["odd:1"] }]);

describe.skipIf(why).for([
  ["dockerd", "overlay2"],
  ["dockerd", "overlay"],
  ["layerkit", "overlay2"],
  ["layerkit", "overlay"],
  ["layerkit", "vfs"],
] as const)("layers that are odd and right", ([engine, driver]) => {
  test(`have no finding as ${engine} unpacked them with ${driver}`, async () => {
    await using disk = await loopDisk("xfs", "1G");
    const path = join(disk.path, "root");
    const start = () =>
      engine === "dockerd"
        ? Dockerd.start(path, { driver: driver as "overlay" })
        : Layerkitd.start(path, ["--storage-driver", driver]);
    await using daemon = await start();
    const loaded = await daemon.tryDocker(["load"], { input: archive() });
    expect(loaded.stdout + loaded.stderr).toContain("Loaded image: odd:1");
    const state = await readRoot(path, driver);
    expect(check(state, { isLive: true })).toEqual([]);
    expect(await deepCheck(state)).toEqual({ findings: [], notes: [] });
  });
});
