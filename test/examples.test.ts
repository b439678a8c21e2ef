import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "layerkit";
import { expect, test } from "vitest";
import { lacking } from "./oracle/programs.js";
import { rawTar } from "./oracle/raw-tar.js";
import { output } from "./oracle/run.js";
import { streamOf } from "./oracle/sample-image.js";
import { scratch } from "./oracle/scratch.js";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const skip = lacking("root");
const rootfs = rawTar([
  { name: "etc/", type: "5" },
  { name: "etc/motd", content: "hello\n" },
]);

const example = (name: string, ...args: string[]) => output(process.execPath, [join(examples, name), ...args]);

test.skipIf(skip)(
  "the examples do what they say, one on the result of the other, and leave nothing behind",
  async () => {
    await using directory = await scratch();
    const [tar, archive] = [join(directory.path, "rootfs.tar"), join(directory.path, "out.tar")];
    writeFileSync(tar, rootfs);
    const env = { env: { TMPDIR: directory.path } };
    const run = (name: string, ...args: string[]) => output(process.execPath, [join(examples, name), ...args], env);
    expect(await run("change-and-commit.js", tar, archive)).toMatch(/^A \/notes.txt\ncommitted sha256:[0-9a-f]{64}$/);
    expect(await run("read-a-file.js", archive, "notes.txt")).toBe("written without a daemon");
    expect(await run("read-a-file.js", archive, "etc/motd")).toBe("hello");
    expect(readdirSync(directory.path).sort()).toEqual(["out.tar", "rootfs.tar"]);
  },
);

test.skipIf(skip)("a root that this process has open can be looked at by another", async () => {
  await using directory = await scratch();
  await using root = await open({ root: join(directory.path, "root"), driver: "vfs" });
  for await (const _ of root.images.import(streamOf(rootfs), { repo: "base", tag: "1" }));
  await root.containers.create({ Image: "base:1", Cmd: ["x"] }, { name: "made" });
  expect((await example("look-at-a-root.js", root.root)).split("\n")).toEqual([
    `served by process ${process.pid}`,
    "image base:1: 6 bytes in 1 layers",
    "container /made of base:1: Created",
  ]);
});

test("every example is run by these tests", () => {
  const names = readdirSync(examples).filter((name) => name.endsWith(".js"));
  expect(names.sort()).toEqual(["change-and-commit.js", "look-at-a-root.js", "read-a-file.js"]);
});
