import { expect, test } from "vitest";
import { lacking } from "../../../test/oracle/programs.js";
import { run } from "../../../test/oracle/run.js";

const face = new URL("../index.js", import.meta.url).href;
const suite = new URL("../suite/", import.meta.url).href;

/** Runs as root of a user namespace of its own, with one id, upon a tmpfs that only it sees. */
const script = `
  import { execFileSync } from "node:child_process";
  import { rmSync, writeFileSync } from "node:fs";
  execFileSync("mount", ["-t", "tmpfs", "none", "/mnt"]);
  const { openDriver } = await import("${face}");
  const { Bench } = await import("${suite}bench.js");
  const { device, directory, file, opaque, whiteout } = await import("${suite}changes.js");
  const bench = await Bench.open(() => openDriver("overlay2", "/mnt"));
  const base = await bench.layer(undefined, [file("f", "1", { uid: 4711 }), file("g"), directory("d"), file("d/f")]);
  const middle = await bench.layer(base, [device("null", "char", 1, 3), whiteout("f"), directory("d"), opaque("d"), file("d/g")]);
  const top = await bench.create(middle);
  await bench.within(top, (path) => {
    rmSync(path + "/g");
    writeFileSync(path + "/new", "");
  });
  console.log(JSON.stringify({
    status: bench.driver.status,
    middle: await bench.tree(middle),
    top: await bench.changes(top),
    diff: (await bench.diff(middle)).map(({ kind, path }) => kind + " " + path),
  }));
  await bench[Symbol.asyncDispose]();
`;

test.skipIf(lacking("namespaces", "root"))(
  "in a user namespace marks are user xattrs, and what it may not do is passed over",
  async () => {
    const args = ["--user", "--map-root-user", "--mount", process.execPath, "--input-type=module", "-e", script];
    const { stdout, stderr } = await run("unshare", args);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      status: [
        ["Backing Filesystem", "tmpfs"],
        ["Supports d_type", "true"],
        ["Native Overlay Diff", "true"],
        ["userxattr", "true"],
      ],
      middle: ['"d" dir 755 0:0', '"d/g" file "d/g" 644 0:0', '"g" file "g" 644 0:0'],
      top: ["D /g", "A /new"],
      diff: ["directory d", "opaque d", "file d/g", "whiteout f"],
    });
  },
);
