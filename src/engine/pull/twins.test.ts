import { describe, expect, test } from "vitest";
import { layerTar } from "../../../test/oracle/image-stores.js";
import { answers, garbles } from "../../../test/oracle/registry-faults.js";
import { collected } from "../../../test/oracle/sample-image.js";
import { drivers } from "../engine.test.tools.js";
import { held, Pulling, watched } from "./pull.test.tools.js";

const tarOf = (name: string) => layerTar({ [name]: name.repeat(1000) });
const [one, two, common] = [tarOf("one"), tarOf("two"), tarOf("common")];

/** Whether the tars of these layers are in an image as it is saved, byte for byte. */
async function expectInside(it: Pulling, name: string, tars: readonly Buffer[]): Promise<void> {
  const saved = Buffer.concat(await collected(await it.engine.images.save([`${it.registry.host}/${name}`])));
  expect(tars.map((tar) => saved.includes(tar))).toEqual(tars.map(() => true));
}

describe.skipIf(drivers[1]?.skip)("one blob for two places", () => {
  test("of two images is fetched once; each has it then for itself", async () => {
    await using it = await Pulling.start("overlay2");
    const [, blob] = it.registry.addImage("a:1", [one, common]);
    it.registry.addImage("b:1", [two, common]);
    const gate = held();
    it.registry.misbehave(new RegExp(blob!.digest), gate.fault);
    const [a, b] = [watched(it, "a:1"), watched(it, "b:1")];
    await gate.came;
    await Promise.all([a, b].map(({ said }) => said("Pulling fs layer", blob!.digest)));
    gate.letGo();
    await Promise.all([a.ended, b.ended]);
    expect(it.times(blob!.digest)).toBe(1);
    for (const { said } of [a, b]) await said("Pull complete", blob!.digest);
    expect(await it.left()).toEqual([]);
    await it.engine.images.remove(`${it.registry.host}/a:1`);
    await expectInside(it, "b:1", [two, common]);
    await it.engine.images.remove(`${it.registry.host}/b:1`);
    expect(it.engine.layers.list()).toEqual([]);
    expect(await it.left()).toEqual([]);
  });

  test("is not fetched again while the first has it and waits for others, loose or in its place", async () => {
    await using it = await Pulling.start("overlay2");
    const [, blob, last] = it.registry.addImage("slow:1", [one, common, tarOf("last")]);
    it.registry.addImage("a:1", [two, common]);
    it.registry.addImage("lower:1", [one, common]);
    it.registry.addImage("b:1", [common]);
    const gate = held();
    it.registry.misbehave(new RegExp(`/slow/blobs/${last!.digest}`), gate.fault);
    const slow = watched(it, "slow:1");
    await Promise.all([gate.came, slow.unpacked(blob!)]);
    for (const name of ["a:1", "lower:1", "b:1"]) await it.pull(name);
    gate.letGo();
    await slow.ended;
    expect(it.times(blob!.digest)).toBe(1);
    for (const name of ["a:1", "lower:1"]) await it.engine.images.remove(`${it.registry.host}/${name}`);
    await expectInside(it, "b:1", [common]);
    expect(await it.left()).toEqual([]);
  });

  test("of one image is fetched once, however often the image has it", async () => {
    await using it = await Pulling.start("overlay2", { maxConcurrentDownloads: 1 });
    const tars = [common, one, ...Array.from({ length: 20 }, () => common), two, common];
    const [blob] = it.registry.addImage("a:1", tars);
    const told = await it.pull("a:1");
    const lines = told.map(({ id, status }) => `${id}: ${status}`);
    const figures = told.filter(({ progressDetail }) => progressDetail?.current !== undefined);
    expect(new Set(figures.map((each) => JSON.stringify(each))).size).toBe(figures.length);
    expect(it.times(blob!.digest)).toBe(1);
    expect(lines.filter((line) => line.endsWith("Pull complete"))).toHaveLength(3);
    expect(it.engine.layers.ofImage(`${it.registry.host}/a:1`)).toHaveLength(tars.length);
    await expectInside(it, "a:1", [common, one, two]);
    expect(await it.left()).toEqual([]);
  });

  test("is left to the other when the first gives up", async () => {
    await using it = await Pulling.start("overlay2");
    const [, blob] = it.registry.addImage("a:1", [one, common]);
    it.registry.addImage("b:1", [two, common]);
    const gate = held();
    it.registry.misbehave(new RegExp(blob!.digest), gate.fault);
    const leave = new AbortController();
    const a = watched(it, "a:1", leave.signal);
    await gate.came;
    const b = watched(it, "b:1");
    await b.said("Pulling fs layer", blob!.digest);
    leave.abort(new Error("enough"));
    await expect(a.ended).rejects.toThrow("enough");
    gate.letGo();
    await b.ended;
    expect(it.times(blob!.digest)).toBe(1);
    await expectInside(it, "b:1", [two, common]);
    await it.engine.images.prune();
    expect(it.engine.layers.list()).toHaveLength(2);
    expect(await it.left()).toEqual([]);
  });

  test.for([
    ["does not get it", answers(404)],
    ["gets other bytes", garbles],
  ] as const)("is fetched by the other where the first %s", async ([, fault]) => {
    await using it = await Pulling.start("overlay2");
    const [, blob] = it.registry.addImage("a:1", [one, common]);
    it.registry.addImage("b:1", [two, common]);
    const gate = held();
    it.registry.misbehave(new RegExp(`/a/blobs/${blob!.digest}`), (request, response, serve) => {
      gate.fault(request, response, () => fault(request, response, serve));
    });
    const a = watched(it, "a:1");
    await gate.came;
    const b = watched(it, "b:1");
    await b.said("Pulling fs layer", blob!.digest);
    gate.letGo();
    await expect(a.ended).rejects.toThrow();
    await b.ended;
    await expectInside(it, "b:1", [two, common]);
    expect(it.engine.layers.list()).toHaveLength(2);
    expect(await it.left()).toEqual([]);
  });

  test("that nobody waits for any more leaves nothing", async () => {
    await using it = await Pulling.start("overlay2");
    const before = await it.paths();
    const [blob] = it.registry.addImage("a:1", [common, one, common]);
    const gate = held();
    it.registry.misbehave(new RegExp(blob!.digest), gate.fault);
    const leave = new AbortController();
    const { ended } = watched(it, "a:1", leave.signal);
    await gate.came;
    leave.abort(new Error("enough"));
    await expect(ended).rejects.toThrow("enough");
    expect(await it.paths()).toEqual(before);
  });
});
