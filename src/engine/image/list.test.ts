import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dockerArchive, type Sample } from "../../../test/oracle/image-archives.js";
import { bytes, configOf, freshStores, layerTar } from "../../../test/oracle/image-stores.js";
import { sha256 } from "../../spec/index.js";
import type { ImageListOptions } from "../images.js";
import { ImageOperations } from "./operations.js";

const [common, own] = [layerTar({ a: "a".repeat(1000) }), layerTar({ b: "b".repeat(10) })];
const image = (day: number, layers: readonly Buffer[]): Sample => ({
  layers,
  config: configOf(layers, { created: `2026-01-0${day}T00:00:00Z` }),
  tags: [`day:${day}`],
});
const samples = [image(1, [common]), image(2, [common, own]), image(3, [own]), image(4, [])];

describe("what dockerd 20.10 does not have yet", () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  let operations: ImageOperations;
  beforeAll(async () => {
    stores = await freshStores();
    const { images, references, layers, distribution, registries, pulls, pushes, tmp, driver } = stores;
    const usersOf = (id: string) => (id === sha256(samples[1]!.config!) ? [{ id: "c", running: false }] : []);
    operations = new ImageOperations({
      ...{ images, references, layers, distribution, registries, pulls, pushes, tmp, driver },
      ...{ usersOf, emit: () => {} },
    });
    for await (const _ of operations.load(bytes(dockerArchive(samples))));
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  const listed = async (options: ImageListOptions) => (await operations.list(options)).flatMap((item) => item.RepoTags);

  test("the filter until takes dates, seconds and durations", async () => {
    const newest = ["day:4", "day:3", "day:2", "day:1"];
    expect(await listed({ filters: { until: ["2026-01-03"] } })).toEqual(["day:2", "day:1"]);
    expect(await listed({ filters: { until: [String(Date.UTC(2026, 0, 2) / 1000)] } })).toEqual(["day:1"]);
    expect(await listed({ filters: { until: ["1s"] } })).toEqual(newest);
    await expect(listed({ filters: { until: ["soon"] } })).rejects.toMatchObject({ code: "invalid-parameter" });
  });

  test("shared sizes are what other images have too", async () => {
    const sizes = (await operations.list({ sharedSize: true })).map(({ Size, SharedSize }) => [Size, SharedSize]);
    expect(sizes).toEqual([
      [0, 0],
      [10, 0],
      [1010, 1000],
      [1000, 1000],
    ]);
    expect((await operations.list()).map(({ SharedSize }) => SharedSize)).toEqual([-1, -1, -1, -1]);
  });

  test("images are counted", () => {
    expect(operations.count()).toBe(4);
  });
});
