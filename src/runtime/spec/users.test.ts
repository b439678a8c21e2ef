import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readInside } from "./read-inside.js";
import { userOf } from "./users.js";

/** What dockerd makes of users is in dockerd.test.ts; here is what a tree does that is not to be trusted. */
describe("files of a container", () => {
  let tree: string;
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), "layerkit-test-"));
    mkdirSync(join(tree, "etc"));
  });
  afterEach(() => rmSync(tree, { recursive: true }));
  const at = (path: string) => join(tree, path);
  const passwd = () => readInside(tree, "/etc/passwd");

  test("links lead to where they lead in the container", () => {
    writeFileSync(at("real"), "inside");
    symlinkSync("/../../real", at("etc/passwd"));
    expect(passwd()).toBe("inside");
  });

  test("links to the host's files do not", () => {
    symlinkSync("/etc/hostname", at("etc/passwd"));
    symlinkSync("/proc/self/root/etc/passwd", at("etc/group"));
    expect([passwd(), readInside(tree, "/etc/group")]).toEqual([undefined, undefined]);
  });

  test("a pipe, a directory, a link to itself are no file, and nobody waits for them", () => {
    execFileSync("mkfifo", [at("etc/passwd")]);
    mkdirSync(at("etc/group"));
    symlinkSync("loop", at("etc/loop"));
    expect(["passwd", "group", "loop", "none"].map((name) => readInside(tree, `/etc/${name}`))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("a file that is too large is refused", () => {
    writeFileSync(at("etc/passwd"), "");
    truncateSync(at("etc/passwd"), 1 << 26);
    expect(passwd).toThrow("/etc/passwd of the container is larger than 32 MiB");
  });
});

test("without any file numbers are users and groups, and root is there", () => {
  const none = { passwd: undefined, group: undefined };
  expect(userOf("", [], none)).toEqual({ uid: 0, gid: 0, additionalGids: [0] });
  expect(userOf("5:6", ["7"], none)).toEqual({ uid: 5, gid: 6, additionalGids: [6, 7] });
  expect(() => userOf("root", [], none)).toThrow("unable to find user root: no matching entries in passwd file");
});

test("a number that would come round to root is no user", () => {
  const passwd = "evil:x:4294967296:4294967296::/:\nworse:x:-1:0::/:";
  for (const name of ["evil", "worse"]) {
    expect(() => userOf(name, [], { passwd, group: "" })).toThrow("uids and gids must be in range 0-2147483647");
  }
});

test("a group named twice is added once", () => {
  const files = { passwd: "", group: "staff:x:50:" };
  expect(userOf("0", ["staff", "50", "staff"], files).additionalGids).toEqual([0, 50]);
});
