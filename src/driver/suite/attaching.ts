import { expect } from "vitest";
import { type CacheID, Conflict, NotFound, randomID } from "../../spec/index.js";
import type { Bench } from "./bench.js";
import type { Cases } from "./cases.js";
import { directory, file, opaque, type WholeChange, whiteout } from "./changes.js";
import { matrix } from "./stacks.js";

/** Layers that are filled over nothing, and put upon each other afterwards. */
export const attaching: Cases = (test, bench) => {
  test("the matrix of whiteouts and opaque directories means the same in layers put together afterwards", async () => {
    const layers = matrix();
    const built = await bench().stack(layers);
    const top = await attached(bench(), layers);
    expect(await bench().tree(top)).toEqual(await bench().tree(built!));
    const changed = async (id: CacheID) => (await bench().diff(id)).map(({ kind, path }) => `${kind} ${path}`);
    expect(await changed(top)).toEqual(await changed(built!));
  });

  const hidesAll = [opaque(""), file("own"), directory("d"), file("d/own")];
  const names = (tree: readonly string[]) => tree.map((line) => line.split('"')[1]).join(" ");

  test("a root that hides all that is below does so upon each parent it is put upon", async () => {
    const one = await bench().stack([[file("a")], [directory("d"), file("d/a")]]);
    const other = await bench().layer(undefined, [file("b"), file("own", "below"), directory("d"), file("d/b")]);
    const top = await bench().layer(undefined, hidesAll);
    expect(names(await bench().tree(top))).toBe("d d/own own");
    for (const parent of [one!, other, one!]) {
      await bench().driver.attach!(top, parent);
      expect(names(await bench().tree(top))).toBe("d d/own own");
    }
  });

  test("put upon another parent, a layer and those upon it show that one", async () => {
    const one = await bench().layer(undefined, [file("one")]);
    const other = await bench().stack([[file("other")], [file("gone"), file("kept")]]);
    const middle = await bench().layer(undefined, [file("middle")]);
    const top = await bench().layer(undefined, [whiteout("gone")]);
    for (const [parent, tree] of [
      [one, "middle one"],
      [other!, "kept middle other"],
    ] as const) {
      await bench().driver.attach!(middle, parent);
      await bench().driver.attach!(top, middle);
      expect(names(await bench().tree(top))).toBe(tree);
    }
  });

  test("what is not there, in use or too high is not put upon anything, and stays as it was", async () => {
    const { driver } = bench();
    const base = await bench().layer(undefined, [file("base")]);
    const id = await bench().layer(undefined, [file("f")]);
    const attach = (parent: CacheID) => driver.attach!(id, parent);
    await expect(driver.attach!(randomID(), base)).rejects.toThrow(NotFound);
    await expect(attach(randomID())).rejects.toThrow(NotFound);
    await bench().within(id, () => expect(attach(base)).rejects.toThrow(Conflict));
    const empty = await bench().create();
    {
      await using _filling = await driver.fill(empty);
      await expect(driver.attach!(empty, base)).rejects.toThrow("is being filled");
    }
    let top = base;
    for (let depth = 2; depth <= driver.maxDepth; depth++) top = await bench().create(top);
    await expect(attach(top)).rejects.toThrow(`max depth exceeded: a chain has at most ${driver.maxDepth} layers`);
    expect(names(await bench().tree(id))).toBe("f");
    await attach(base);
    expect(names(await bench().tree(id))).toBe("base f");
  });
};

/** Makes and fills each layer over nothing, topmost first, then puts them together. @returns the top one */
async function attached(bench: Bench, layers: readonly (readonly WholeChange[])[]): Promise<CacheID> {
  const ids: CacheID[] = [];
  for (const changes of layers.toReversed()) ids.unshift(await bench.layer(undefined, changes));
  for (const [at, id] of ids.entries()) if (at > 0) await bench.driver.attach!(id, ids[at - 1]!);
  return ids.at(-1)!;
}
