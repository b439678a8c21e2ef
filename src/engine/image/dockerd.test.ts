import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sample } from "../../../test/oracle/image-archives.js";
import { configOf, layerTar } from "../../../test/oracle/image-stores.js";
import { lacking } from "../../../test/oracle/programs.js";
import { sha256 } from "../../spec/index.js";
import type { Filters } from "../api-system.js";
import { type Answer, BesideDockerd } from "./beside-dockerd.test.tools.js";

const layers = [1, 2, 3, 4].map((n) => layerTar({ [`etc/${n}`]: String(n).repeat(n * 1000) }));
const step = (n: number, more: object = {}) => ({
  created: `2026-01-0${n}T00:00:00.5Z`,
  created_by: `step ${n}`,
  ...more,
});
const image = (count: number, more: object, sample: Omit<Sample, "layers"> = {}): Sample => {
  const history = Array.from({ length: count }, (_, n) => step(n + 1));
  const config = configOf(layers.slice(0, count), { created: `2026-01-0${count}T00:00:00.5Z`, history, ...more });
  return { layers: layers.slice(0, count), config, ...sample };
};
const idOf = ({ config }: Sample) => sha256(config!);

const base = image(1, { comment: "base", config: { Labels: { tier: "base" } } }, { tags: ["base:1"] });
const child = image(
  2,
  {
    author: "me",
    history: [step(1), step(2, { comment: "second", author: "me" })],
    config: { Cmd: ["x"], Volumes: { "/v": {} } },
  },
  { tags: ["child:1", "child:2", "localhost:5000/child:1"], parent: idOf(base) },
);
const empty = { ...step(4, { created_by: "CMD", empty_layer: true }) };
const withEmptyStep = image(
  3,
  { history: [step(1), step(2), empty, step(3)], config: { Labels: { tier: "top", "a.b": "" } }, variant: "v9" },
  { tags: ["top:latest"] },
);
const dangling = image(4, { os: "" });

const same = ([ours, theirs]: [Answer, Answer]) => {
  expect(ours).toEqual(theirs);
  return ours;
};
const sameUpToOrder = ([ours, theirs]: [Answer, Answer]) => {
  const sorted = ({ ok }: Answer) => ({ ok: Array.isArray(ok) ? ok.map((item) => JSON.stringify(item)).sort() : ok });
  expect(sorted(ours)).toEqual(sorted(theirs));
};

describe.skipIf(lacking("root", "mounts", "dockerd", "docker", "containerd"))("as dockerd 20.10", () => {
  const samples = [base, child, withEmptyStep, dangling];

  describe("reading", () => {
    let both: BesideDockerd;
    beforeAll(async () => {
      both = await BesideDockerd.start(samples);
    });
    afterAll(() => both?.[Symbol.asyncDispose]());

    test.for([
      {},
      { dangling: ["true"] },
      { dangling: ["false"] },
      { dangling: ["maybe"] },
      { label: ["tier"] },
      { label: ["tier=top", "a.b"] },
      { label: ["tier=none"] },
      { reference: ["child"] },
      { reference: ["*:1", "top"] },
      { reference: ["*/child"] },
      { before: ["top"] },
      { since: ["base:1"] },
      { since: ["base:1"], before: ["top:latest"] },
      { before: ["nope"] },
      { zz: ["1"] },
    ] as Filters[])("lists with %j", async (filters) => {
      same(await both.list(filters));
      same(await both.list(filters, true));
    });

    test.for([
      ...["base:1", "child:2", "localhost:5000/child:1", "top", "docker.io/library/top:latest"],
      ...samples.map(idOf),
      ...samples.map((sample) => idOf(sample).slice(7)),
      idOf(base).slice(0, 20),
      idOf(child).slice(7, 15),
      ...["nope", "nope:1", "localhost:5000/nope", `base@${sha256("x")}`, sha256("x"), sha256("x").slice(7)],
    ])("inspects %s, and its history", async (name) => {
      same(await both.inspect(name));
      same(await both.history(name));
    });
  });

  test("tags", async () => {
    await using both = await BesideDockerd.start(samples);
    same(await both.tag("base:1", "other", ""));
    same(await both.tag("base:1", "docker.io/library/third", "x"));
    same(await both.tag("top", "base", "1"));
    same(await both.tag(idOf(dangling).slice(7, 19), "localhost:5000/a/b", "c"));
    same(await both.tag("nope", "a", "b"));
    same(await both.list());
    expect(both.events.filter((event) => event.startsWith("tag "))).toHaveLength(4);
  });

  test("removes names first, then images, then layers", async () => {
    await using both = await BesideDockerd.start(samples);
    same(await both.remove("nope"));
    same(await both.remove("child:1"));
    same(await both.remove(idOf(child)));
    same(await both.remove(idOf(base)));
    same(await both.remove("base:1"));
    same(await both.list({}, true));
    same(await both.remove("localhost:5000/child:1"));
    same(await both.remove("child:2"));
    same(await both.remove(idOf(dangling).slice(7, 13)));
    same(await both.list({}, true));
    same(await both.remove("top"));
    same(await both.list({}, true));
  });

  test("removes by force, and without pruning", async () => {
    await using both = await BesideDockerd.start(samples);
    same(await both.remove("base:1", { noprune: true }));
    sameUpToOrder(await both.remove(idOf(child), { force: true, noprune: true }));
    same(await both.list({}, true));
    same(await both.remove(idOf(base), { noprune: true }));
    same(await both.remove(idOf(withEmptyStep)));
    same(await both.list({}, true));
  });

  test("keeps what containers use", async () => {
    await using both = await BesideDockerd.start(samples);
    await both.container("top");
    await both.container("child:2");
    same(await both.remove("top"));
    same(await both.remove(idOf(withEmptyStep)));
    same(await both.remove("child:2"));
    same(await both.remove("child:1"));
    same(await both.remove("localhost:5000/child:1"));
    same(await both.remove(idOf(child)));
    same(await both.list({}, true));
    // Images go by force; the layers stay, as the containers have them.
    same(await both.remove("top", { force: true }));
    same(await both.remove("localhost:5000/child:1", { force: true }));
    same(await both.list({}, true));
  });

  test("prunes", async () => {
    await using both = await BesideDockerd.start(samples);
    await both.container("child:2");
    same(await both.prune({ zz: ["1"] }));
    same(await both.prune({ "label!": ["tier"], until: ["2026-01-02T00:00:00Z"] }));
    same(await both.prune({}));
    const [ours, theirs] = await both.prune({ dangling: ["false"] });
    type Pruned = { ImagesDeleted: object[]; SpaceReclaimed: number };
    const reclaimed = ({ ok }: Answer) => ({
      ...(ok as Pruned),
      ImagesDeleted: (ok as Pruned).ImagesDeleted.map((item) => JSON.stringify(item)).sort(),
    });
    expect(reclaimed(ours)).toEqual(reclaimed(theirs));
    same(await both.list({}, true));
  });
});
