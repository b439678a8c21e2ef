import fc from "fast-check";
import type { Directory, Inode, Meta, Tree } from "../../src/overlayfs/index.js";

const meta = (mode: number): Meta => ({ mode, uid: 0, gid: 0, mtimeNs: 5n, xattrs: new Map() });
const name = fc.constantFrom("a", "b");
const entries = (inode: fc.Arbitrary<Inode>) => fc.uniqueArray(fc.tuple(name, inode), { selector: ([key]) => key });

// Times tell contents apart, as Docker's comparisons of trees rely on.
const file = fc.constantFrom("x", "y").map((content): Inode => {
  const mtimeNs = content === "x" ? 5n : 6_000_000_000n;
  return { kind: "file", meta: { ...meta(0o600), mtimeNs }, size: 1, content };
});
const whiteout = fc.constant<Inode>({ kind: "whiteout" });

function mark(redirects: boolean): fc.Arbitrary<Pick<Directory, "opaque" | "redirect">> {
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);
  const redirect = fc.oneof(name, path).map((to) => ({ redirect: to }));
  const opaque = fc.constantFrom({}, {}, { opaque: true });
  return redirects ? fc.oneof(opaque, redirect) : opaque;
}

function layer(redirects: boolean): fc.Arbitrary<Tree> {
  const { directory } = fc.letrec<{ inode: Inode; directory: Directory }>((tie) => ({
    inode: fc.oneof({ maxDepth: 3, depthSize: "max" }, file, whiteout, tie("directory"), tie("directory")),
    directory: fc
      .tuple(entries(tie("inode")), mark(redirects), fc.constantFrom(0o755, 0o700))
      .map(
        ([list, marks, mode]): Directory => ({ kind: "directory", meta: meta(mode), entries: new Map(list), ...marks }),
      ),
  }));
  return directory.map((root) => ({ kind: "directory", meta: root.meta, entries: root.entries }));
}

/** Layers as archives may bring them, not only as overlayfs leaves them: anything over anything. Bottom first. */
export function layers(redirects: boolean): fc.Arbitrary<Tree[]> {
  return fc.array(layer(redirects), { minLength: 2, maxLength: 5, size: "max" });
}

/** Layers that chance seldom makes, bottom first. */
export const rareLayers: Readonly<Record<string, Tree[]>> = {
  "an opaque directory on the way of a redirect ends the search in its layer": [
    dir({ a: dir({ b: dir({ hidden: text("1") }) }) }),
    dir({ a: dir({ b: dir({ shown: text("2") }) }, { opaque: true }) }),
    dir({ c: dir({ own: text("3") }, { redirect: "/a/b" }) }),
  ],
  "a redirect on the way of a redirect leads on in the layers below": [
    dir({ x: dir({ b: dir({ bottom: text("1") }) }), a: dir({ b: dir({ wrong: text("2") }) }) }),
    dir({ a: dir({ b: dir({ middle: text("3") }) }, { redirect: "x" }) }),
    dir({ c: dir({ top: text("4") }, { redirect: "/a/b" }) }),
  ],
  "a redirect of an inner directory changes its own name on the way": [
    dir({ p: dir({ x: dir({ b: dir({ bottom: text("1") }) }) }), x: dir({ b: dir({ wrong: text("2") }) }) }),
    dir({ p: dir({ a: dir({ b: dir({ middle: text("3") }) }, { redirect: "x" }) }) }),
    dir({ c: dir({ top: text("4") }, { redirect: "/p/a/b" }) }),
  ],
  "a redirect on the way counts also in a layer that has nothing at its end": [
    dir({ x: dir({ b: dir({ bottom: text("1") }) }), a: dir({ b: dir({ wrong: text("2") }) }) }),
    dir({ a: dir({}, { redirect: "x" }) }),
    dir({ c: dir({ top: text("3") }, { redirect: "/a/b" }) }),
  ],
  "a redirect to another name in the same parent is followed by one to a path": [
    dir({ d: dir({ e: dir({ bottom: text("1") }) }) }),
    dir({ p: dir({ b: dir({ middle: text("2") }, { redirect: "/d/e" }) }) }),
    dir({ p: dir({ c: dir({ top: text("3") }, { redirect: "b" }) }) }),
  ],
  "a file below a directory ends the search even if a directory lies under it": [
    dir({ a: dir({ hidden: text("1") }) }),
    dir({ a: text("2") }),
    dir({ a: dir({ shown: text("3") }) }),
  ],
};

function dir(entries: Record<string, Inode>, marks: Pick<Directory, "opaque" | "redirect"> = {}): Directory {
  return { kind: "directory", meta: meta(0o755), entries: new Map(Object.entries(entries)), ...marks };
}

function text(content: string): Inode {
  return { kind: "file", meta: meta(0o644), size: content.length, content };
}
