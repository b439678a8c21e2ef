import type { Change, Meta } from "../../overlayfs/index.js";
import type { Path } from "../../spec/index.js";
import { collectPrograms, type MachineFile } from "./programs.js";

/** One layer to be: what it is there to show, and what it does to the layers below. */
export interface SampleLayer {
  readonly about: string;
  readonly changes: readonly Change[];
}

/** Paths in the sample image that the walk-through uses. */
export const samplePaths = { read: "usr/share/greetings/hello", changed: "etc/app.conf", deleted: "etc/issue" };

/**
 * A real image in four layers, bottom first, made from programs of this machine and the libraries they need; the
 * third has a whiteout, the fourth an opaque directory. The same machine gives the same bytes.
 */
export async function sampleLayers(): Promise<SampleLayer[]> {
  const base = await collectPrograms(["sh", "ls", "cat"]);
  const had = new Set(base.map((file) => file.path));
  const tools = (await collectPrograms(moreTools)).filter((file) => !had.has(file.path));
  return [
    { about: "a shell, ls and cat with their libraries", changes: [...tree(skeleton, base), ...texts(baseTexts)] },
    { about: "more programs, a configuration, two greetings", changes: [...tree([], tools), ...texts(toolTexts)] },
    { about: "a whiteout hides etc/motd; etc/app.conf is new", changes: thirdLayer() },
    { about: "an opaque directory: usr/share/greetings starts anew", changes: fourthLayer() },
  ];
}

const moreTools = ["grep", "wc", "stat", "cp", "mv", "rm", "mkdir", "head", "sort", "uname", "id", "sleep", "true"];

const skeleton = ["dev", "proc", "root", "sys", "tmp", "var/log"];

const baseTexts = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/group": "root:x:0:\n",
  "etc/os-release": 'NAME="layerkit sample"\nID=layerkit-sample\nPRETTY_NAME="layerkit sample image"\n',
  "etc/motd": "This file is in the first layer only; the third layer hides it.\n",
};

const toolTexts = {
  "etc/issue": "Welcome to the sample image.\n",
  "etc/app.conf": "colour = blue\nsize = small\n",
  "usr/share/greetings/goodbye": "Goodbye from the second layer.\n",
  "usr/share/greetings/hello": "Hello from the second layer.\n",
};

function thirdLayer(): Change[] {
  const etc = directory("etc");
  return [
    etc,
    file("etc/app.conf", Buffer.from("colour = red\nsize = small\n")),
    { kind: "whiteout", path: "etc/motd" },
  ];
}

function fourthLayer(): Change[] {
  const greetings = "usr/share/greetings";
  const hello = file(`${greetings}/hello`, Buffer.from("Hello from the fourth layer, alone in this directory.\n"));
  return [...parents(hello.path), { kind: "opaque", path: greetings }, hello];
}

function texts(contents: Readonly<Record<string, string>>): Change[] {
  return tree(
    [],
    Object.entries(contents).map(([path, text]) => ({ path, content: Buffer.from(text) })),
    0o644,
  );
}

/** Directories and files with all directories above them, each once, a directory before what is in it. */
function tree(directories: readonly string[], files: readonly MachineFile[], mode = 0o755): Change[] {
  const changes = new Map<Path, Change>();
  for (const path of directories) for (const each of [...parents(path), directory(path)]) changes.set(each.path, each);
  for (const { path, content } of files) {
    const clean = path.replace(/^\/+/, "");
    for (const parent of parents(clean)) changes.set(parent.path, parent);
    changes.set(clean, file(clean, content, mode));
  }
  return [...changes.values()];
}

function parents(path: Path): Change[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, i) => directory(names.slice(0, i + 1).join("/")));
}

function directory(path: Path): Change {
  return { kind: "directory", path, meta: meta(path === "tmp" ? 0o1777 : 0o755) };
}

function file(path: Path, content: Buffer, mode = 0o644): Change {
  return { kind: "file", path, meta: meta(mode), size: content.length, body: [content] };
}

/** A fixed time, so that the same files make the same digests. */
const madeNs = BigInt(Date.UTC(2024, 0, 1)) * 1_000_000n;

function meta(mode: number): Meta {
  return { mode, uid: 0, gid: 0, mtimeNs: madeNs, xattrs: new Map() };
}
