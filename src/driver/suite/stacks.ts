import { expect } from "vitest";
import { apply, type Tree } from "../../overlayfs/index.js";
import { baseOf, type CacheID, joinPath, type Path, parentOf } from "../../spec/index.js";
import type { Cases } from "./cases.js";
import { directory, file, opaque, symlink, type WholeChange, whiteout } from "./changes.js";
import { emptyTree, treeLines } from "./tree-lines.js";

/** What layers upon each other mean: whiteouts and opaque marks over everything they can meet. */
export const stacks: Cases = (test, bench) => {
  /** Three layers; each name at their root is a case of its own. */
  test("the matrix of whiteouts and opaque directories means what the model says", async () => {
    const layers = matrix();
    const top = await bench().stack(layers);
    let model: Tree = emptyTree;
    for (const layer of layers) model = apply(model, layer.map(withContent));
    expect(await bench().tree(top ?? "")).toEqual(treeLines(model));
  });

  test("the matrix of the two upper layers, read back as diffs, means the same", async () => {
    const layers = matrix();
    const ids = await eachLayer(layers);
    const diffs: WholeChange[][] = [];
    for (const id of ids) diffs.push(await bench().diff(id));
    expect(await bench().tree((await eachLayer(diffs)).at(-1) ?? "")).toEqual(await bench().tree(ids.at(-1) ?? ""));
  });

  const eachLayer = async (layers: readonly (readonly WholeChange[])[]): Promise<CacheID[]> => {
    const ids: CacheID[] = [];
    for (const layer of layers) ids.push(await bench().layer(ids.at(-1), layer));
    return ids;
  };

  test("upstream's ApplyLayer: four steps over a tree of fourteen entries, an opaque root at the end", async () => {
    let top: CacheID | undefined;
    for (const [layer, expected] of applyLayerSteps) {
      top = await bench().layer(top, layer.split(" ").map(fromTarName));
      const found = (await bench().tree(top)).map((line) => line.split('"')[1] + (line.includes('" dir ') ? "/" : ""));
      expect(found.join(" ")).toBe(expected);
    }
  });

  test("upstream's overlay whiteouts: opaque directories and a whiteout, read back and put on again", async () => {
    const base = await bench().layer(
      undefined,
      ["d1", "d2", "d3"].flatMap((dir) => [directory(dir), file(`${dir}/f1`), file(`${dir}/f2`)]),
    );
    const changes = [
      directory("d1", { mode: 0o700 }),
      opaque("d1"),
      file("d1/f1", "", { mode: 0o600 }),
      directory("d2", { mode: 0o750 }),
      opaque("d2"),
      file("d2/f1", "", { mode: 0o660 }),
      directory("d3", { mode: 0o700 }),
      whiteout("d3/f1"),
    ];
    const upper = await bench().layer(base, changes);
    const again = await bench().layer(base, await bench().diff(upper));
    const expected = [
      '"d1" dir 700',
      '"d1/f1" file "" 600',
      '"d2" dir 750',
      '"d2/f1" file "" 660',
      '"d3" dir 700',
      '"d3/f2" file "d3/f2" 644',
    ];
    for (const id of [upper, again])
      expect((await bench().tree(id)).map((line) => line.replace(" 0:0", ""))).toEqual(expected);
  });

  test("whiteouts of what is nowhere are taken, in layers that have nothing below too", async () => {
    const id = await bench().layer(await bench().layer(undefined, [whiteout("a"), opaque("b")]), [
      whiteout("c/d"),
      opaque(""),
    ]);
    expect((await bench().tree(id)).map((line) => line.split('"')[1])).toEqual(["c"]);
  });

  test("what upper layers put into a directory joins what is below, the top's metadata counts", async () => {
    const bottom = [directory("d", { mode: 0o700, uid: 1 }), file("d/a"), file("d/b")];
    const middle = [directory("d", { mode: 0o711, uid: 2 }), file("d/b", "new"), file("d/c")];
    const id = await bench().stack([bottom, middle, [directory("d", { mode: 0o777, uid: 3 })]]);
    expect(await bench().tree(id ?? "")).toEqual([
      '"d" dir 777 3:0',
      '"d/a" file "d/a" 644 0:0',
      '"d/b" file "new" 644 0:0',
      '"d/c" file "d/c" 644 0:0',
    ]);
  });
};

/** A layer by the names in its tar, a directory's ending in `/`; and all there is after it. @see moby pkg/archive, diff_test.go */
const applyLayerSteps = [
  [
    ".baz bar/ bar/bax bar/bay/ baz foo/ foo/.abc foo/.bcd/ foo/.bcd/a foo/cde/ foo/cde/def foo/cde/efg foo/fgh foobar",
    ".baz bar/ bar/bax bar/bay/ baz foo/ foo/.abc foo/.bcd/ foo/.bcd/a foo/cde/ foo/cde/def foo/cde/efg foo/fgh foobar",
  ],
  [
    ".bay .wh.baz foo/ foo/.bce foo/.wh..wh..opq foo/cde/ foo/cde/efg",
    ".bay .baz bar/ bar/bax bar/bay/ foo/ foo/.bce foo/cde/ foo/cde/efg foobar",
  ],
  [".bay .wh..baz .wh.foobar foo/ foo/.abc foo/.wh.cde bar/", ".bay bar/ bar/bax bar/bay/ foo/ foo/.abc foo/.bce"],
  [".abc .wh..wh..opq foobar", ".abc foobar"],
] as const;

function fromTarName(name: string): WholeChange {
  if (name.endsWith("/")) return directory(name.slice(0, -1));
  const dir = parentOf(name);
  if (baseOf(name) === ".wh..wh..opq") return opaque(dir);
  return baseOf(name).startsWith(".wh.") ? whiteout(joinPath(dir, baseOf(name).slice(4))) : file(name);
}

/** Makes what stands at a name in one layer. Directories' metadata is that of directories nobody names. */
type Make = (path: Path) => WholeChange[];

const inside = (path: Path, name: string) => file(joinPath(path, name), `${name} of ${path}`);

/** What a layer below can hold. */
const below: readonly Make[] = [
  () => [],
  (path) => [file(path)],
  (path) => [
    directory(path),
    inside(path, "low"),
    inside(path, "both"),
    directory(`${path}/sub`),
    inside(`${path}/sub`, "deep"),
  ],
  (path) => [symlink(path, "nowhere")],
];

/** What a layer can do to it; the order of its entries matters. */
const upon: readonly Make[] = [
  () => [],
  (path) => [whiteout(path)],
  (path) => [file(path, "upper")],
  (path) => [symlink(path, "elsewhere")],
  (path) => [directory(path)],
  (path) => [directory(path), inside(path, "both"), inside(path, "up")],
  (path) => [directory(path), opaque(path), inside(path, "both"), inside(path, "up")],
  (path) => [directory(path), inside(path, "both"), opaque(path), inside(path, "up")],
  (path) => [opaque(path), directory(path), inside(path, "up")],
  (path) => [directory(path), inside(path, "up"), opaque(path)],
  (path) => [whiteout(path), file(path, "after a whiteout")],
  (path) => [whiteout(path), directory(path), inside(path, "up")],
  (path) => [whiteout(path), inside(path, "up")],
  (path) => [directory(path), whiteout(`${path}/low`), whiteout(`${path}/both`), inside(path, "both")],
  (path) => [directory(path), whiteout(`${path}/sub`)],
  (path) => [directory(path), directory(`${path}/sub`), opaque(`${path}/sub`)],
  (path) => [directory(path), opaque(path), directory(`${path}/sub`), inside(`${path}/sub`, "new")],
  (path) => [directory(path), file(`${path}/sub`, "a file now")],
];

/** Below a symlink of a lower layer drivers differ, as Docker's do (docker-data-root 9.7). */
const goesThrough = (changes: readonly WholeChange[], path: Path) =>
  !changes.some((change) => change.path === path && change.kind !== "opaque") && changes.length > 0;

/** Every kind below, under everything a layer can do, under everything another can do. */
export function matrix(): WholeChange[][] {
  const layers: [WholeChange[], WholeChange[], WholeChange[]] = [[], [], []];
  let cases = 0;
  for (const [b, bottom] of below.entries()) {
    for (const middle of upon) {
      for (const top of upon) {
        const path = `case-${String(cases++).padStart(4, "0")}`;
        const all = [bottom(path), middle(path), top(path)] as const;
        const link = b === 3 && [all[1], all[2]].some((changes) => goesThrough(changes, path));
        const linkBetween = all[1].some(({ kind }) => kind === "symlink") && goesThrough(all[2], path);
        if (!link && !linkBetween) for (const [i, changes] of all.entries()) layers[i]?.push(...changes);
      }
    }
  }
  return layers;
}

function withContent(change: WholeChange) {
  return change.kind === "file" ? { ...change, content: Buffer.from(change.content).toString() } : change;
}
