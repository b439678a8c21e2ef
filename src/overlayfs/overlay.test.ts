import { describe, expect, test } from "vitest";
import type { Meta, Tree, TreeChange } from "./index.js";
import { changesOf, Overlay, treeOf } from "./index.js";

const meta: Meta = { mode: 0o644, uid: 5, gid: 6, mtimeNs: 1n, xattrs: new Map() };
const file = (path: string): TreeChange => ({ kind: "file", path, meta, size: 1, content: path });
const lower: Tree = treeOf([
  file("etc/a"),
  file("etc/b"),
  file("usr/lib/deep"),
  { kind: "hardlink", path: "usr/hard", to: "usr/lib/deep", meta },
]);

/** What is in the upper layer after `act`. */
function upperAfter(act: (overlay: Overlay) => void, redirectDir = false): string[] {
  const overlay = new Overlay([lower], { redirectDir });
  act(overlay);
  return [...changesOf(overlay.upper())].map((change) => {
    const was = change.kind === "directory" && "redirect" in change ? ` was ${change.redirect}` : "";
    return `${change.kind} ${change.path}${was}`;
  });
}

describe("the upper layer", () => {
  test("is empty as long as nothing is changed", () => {
    expect(upperAfter((overlay) => overlay.lookup("etc/a"))).toEqual([]);
  });

  test("gets a file with the directories above it by opening it for writing", () => {
    expect(upperAfter((overlay) => overlay.open("usr/lib/deep"))).toEqual([
      "directory usr",
      "directory usr/lib",
      "file usr/lib/deep",
    ]);
  });

  test("gets a whiteout for what is deleted below, nothing for what was its own", () => {
    expect(upperAfter((overlay) => overlay.unlink("etc/a"))).toEqual(["directory etc", "whiteout etc/a"]);
    const own = (overlay: Overlay) => {
      overlay.create("new", 0o644);
      overlay.unlink("new");
    };
    expect(upperAfter(own)).toEqual([]);
  });

  test("gets an opaque directory in the place of a deleted one", () => {
    const anew = (overlay: Overlay) => {
      for (const name of ["a", "b"]) overlay.unlink(`etc/${name}`);
      overlay.rmdir("etc");
      overlay.mkdir("etc", 0o755);
    };
    expect(upperAfter(anew)).toEqual(["directory etc", "opaque etc"]);
  });

  test("gets an opaque directory where one is moved into a directory of a lower layer", () => {
    const moved = (overlay: Overlay) => {
      overlay.mkdir("x", 0o755);
      overlay.rename("x", "etc/x");
    };
    expect(upperAfter(moved)).toEqual(["directory etc", "directory etc/x", "opaque etc/x"]);
  });

  test("says where a directory of a lower layer was, if it may be moved at all", () => {
    const move = (overlay: Overlay) => overlay.rename("usr/lib", "etc/lib");
    expect(upperAfter(move, true)).toEqual([
      "directory etc",
      "directory etc/lib was /usr/lib",
      "directory usr",
      "whiteout usr/lib",
    ]);
    expect(() => upperAfter(move)).toThrow(expect.objectContaining({ code: "EXDEV" }));
  });

  test("breaks hard links of lower layers when one is written to", () => {
    const overlay = new Overlay([lower]);
    overlay.write("usr/hard", { size: 3, content: "new" });
    expect(overlay.lookup("usr/hard")?.inode).toMatchObject({ content: "new" });
    expect(overlay.lookup("usr/lib/deep")?.inode).toMatchObject({ content: "usr/lib/deep" });
  });

  test("keeps owner, mode, time and xattrs of what is copied up", () => {
    const overlay = new Overlay([lower], { now: () => 99n });
    overlay.open("etc/a");
    expect(overlay.upper().entries.get("etc")).toMatchObject({ meta: { mtimeNs: 0n } });
    expect(overlay.lookup("etc/a")).toMatchObject({ layer: 1, inode: { meta } });
  });
});

test("a copy handed out is not changed by what comes after", () => {
  const overlay = new Overlay([lower]);
  const [upper, view] = [overlay.upper(), overlay.view()];
  overlay.chmod("etc/a", 0o600);
  expect([...changesOf(upper)]).toEqual([]);
  expect(new Overlay([view]).lookup("etc/a")?.inode.meta?.mode).toBe(0o644);
});

test("an upper layer can be gone on with", () => {
  const first = new Overlay([lower]);
  first.unlink("etc/a");
  const second = new Overlay([lower], { upper: first.upper() });
  expect(second.lookup("etc/a")).toBeUndefined();
});
