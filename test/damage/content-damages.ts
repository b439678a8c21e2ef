import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { How } from "../../src/doctor/index.js";
import { lremovexattr, lsetxattr } from "../../src/sys/index.js";
import { app, type OverlayDriver } from "./docker-root.js";
import type { RootAt } from "./root-at.js";

/** Something that befalls the content of a layer; `check --deep` names the path and how it differs, and only that. */
export interface ContentDamage {
  readonly name: string;
  readonly kind: string;
  /** None where nothing can be said of files. */
  readonly files: readonly { readonly path: string; readonly how: How }[];
  readonly only?: OverlayDriver;
  readonly make: (root: RootAt) => void;
}

/** The tree of the layer of `app` at `index`, and a path in it. */
const at = (root: RootAt, index: number, path: string) => join(root.layers(app)[index]!.tree, path);
/** The layer that has a file of its own: all layers above share it where the driver links them. */
const [passwd, conf, hello] = ["etc/passwd", "etc/app.conf", "usr/share/greetings/hello"];

/** Changes a file as a bad disk does: nothing but its content tells. */
function rot(file: string): void {
  const { size, atime, mtime } = lstatSync(file);
  writeFileSync(file, "x".repeat(size), { flag: "r+" });
  utimesSync(file, atime, mtime);
}

const differs = (path: string, how: How) => ({ files: [{ path, how }] });
const damaged = { kind: "layer-content-damaged" };
const changed = { kind: "layer-metadata-damaged" };
const split = (root: RootAt, index: number) => join(root.layers(app)[index]!.entry, "tar-split.json.gz");

/** Of an empty layer: two zero blocks. */
const emptySplit = "H4sIAAAAAAACA6tWKqksSFWyUjDSUVAqSKzMyU9MAfKUHEfBKBgFo2AUUBHY2iqBitn84sySzPw8YDlrUMsFAKSL5mGCBQAA";

export const contentDamages: readonly ContentDamage[] = [
  {
    name: "bytes of a file are others",
    ...damaged,
    ...differs(passwd, "content"),
    make: (root) => rot(at(root, 0, passwd)),
  },
  {
    name: "a file is cut off",
    ...damaged,
    ...differs(conf, "content"),
    make: (root) => truncateSync(at(root, 2, conf), 3),
  },
  {
    name: "a file is longer",
    ...damaged,
    ...differs(conf, "content"),
    make: (root) => truncateSync(at(root, 2, conf), 300),
  },
  { name: "a file is gone", ...damaged, ...differs(hello, "missing"), make: (root) => rmSync(at(root, 3, hello)) },
  {
    ...{ name: "a directory is gone", only: "overlay2", ...damaged },
    files: [
      { path: "var", how: "missing" },
      { path: "var/log", how: "missing" },
    ],
    make: (root) => rmSync(at(root, 0, "var"), { recursive: true }),
  },
  {
    ...{ name: "a directory has a file's place", ...damaged, ...differs(hello, "type") },
    make: (root) => {
      rmSync(at(root, 3, hello));
      mkdirSync(at(root, 3, hello));
    },
  },
  {
    ...{ name: "a symlink has a directory's place", only: "overlay2", ...damaged },
    files: [{ path: "tmp", how: "type" }],
    make: (root) => {
      rmSync(at(root, 0, "tmp"), { recursive: true });
      symlinkSync("/etc", at(root, 0, "tmp"));
    },
  },
  {
    name: "a file is there that no layer has",
    kind: "layer-files-extra",
    ...differs("etc/evil", "extra"),
    make: (root) => writeFileSync(at(root, 3, "etc/evil"), ""),
    only: "overlay",
  },
  {
    name: "a file is there that the layer does not have",
    kind: "layer-files-extra",
    ...differs("etc/evil", "extra"),
    make: (root) => writeFileSync(at(root, 2, "etc/evil"), ""),
    only: "overlay2",
  },
  {
    name: "a deletion is gone",
    only: "overlay2",
    ...damaged,
    ...differs("etc/motd", "undeleted"),
    make: (root) => rmSync(at(root, 2, "etc/motd")),
  },
  {
    name: "a deleted file is there again",
    only: "overlay",
    ...damaged,
    files: [{ path: "etc/motd", how: "undeleted" }],
    make: (root) => writeFileSync(at(root, 2, "etc/motd"), ""),
  },
  {
    ...{
      name: "a directory is no more opaque",
      only: "overlay2",
      ...damaged,
      ...differs("usr/share/greetings", "undeleted"),
    },
    make: (root) => lremovexattr(at(root, 3, "usr/share/greetings"), "trusted.overlay.opaque"),
  },
  {
    name: "a file belongs to another",
    ...changed,
    ...differs(passwd, "owner"),
    make: (root) => chownSync(at(root, 0, passwd), 1000, 0),
  },
  {
    name: "a file is open to all",
    ...changed,
    ...differs(passwd, "mode"),
    make: (root) => chmodSync(at(root, 0, passwd), 0o666),
  },
  {
    name: "a directory is open to all",
    only: "overlay2",
    ...changed,
    ...differs("root", "mode"),
    make: (root) => chmodSync(at(root, 0, "root"), 0o777),
  },
  {
    name: "a program has become setuid",
    ...changed,
    ...differs("bin/grep", "mode"),
    make: (root) => chmodSync(at(root, 1, "bin/grep"), 0o4755),
  },
  {
    ...{ name: "a program has got capabilities", ...changed, ...differs("bin/grep", "capability") },
    make: (root) =>
      lsetxattr(
        at(root, 1, "bin/grep"),
        "security.capability",
        Buffer.from("0100000202000000000000000000000000000000", "hex"),
      ),
  },
  {
    name: "a file was touched",
    kind: "layer-times-changed",
    ...differs(passwd, "time"),
    make: (root) => utimesSync(at(root, 0, passwd), 1, 1),
  },
  {
    name: "a tar-split is cut off",
    kind: "layer-split-damaged",
    files: [],
    make: (root) => root.halve(split(root, 1)),
  },
  {
    name: "a tar-split is another layer's",
    kind: "layer-split-damaged",
    files: [],
    make: (root) => writeFileSync(split(root, 3), Buffer.from(emptySplit, "base64")),
  },
];
