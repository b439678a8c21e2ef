import { describe, expect, test } from "vitest";
import { freshStores } from "../../../test/oracle/image-stores.js";
import { rawTar } from "../../../test/oracle/raw-tar.js";
import { goJSON, parseReference, sha256 } from "../../spec/index.js";
import { bottom, drivers, expectWhole, load, loaded, top } from "./load.test.tools.js";

describe.for(drivers)("archives of the oldest form, on %s", (driver) => {
  const id = (n: number) => String(n).repeat(64);
  const v1 = (n: number, parent?: number, more: object = {}) =>
    goJSON({
      id: id(n),
      ...(parent !== undefined && { parent: id(parent) }),
      created: `2014-05-29T18:36:0${n}Z`,
      container_config: { Cmd: ["/bin/sh", "-c", `step ${n}`] },
      ...more,
    });
  const legacy = (files: Readonly<Record<string, string | Buffer>>) =>
    rawTar(Object.entries(files).map(([name, content]) => ({ name, content })));
  const files = {
    [`${id(2)}/json`]: v1(2, 1, { config: { Env: ["A=b"] }, os: "linux", docker_version: "1.10.0" }),
    [`${id(2)}/layer.tar`]: top,
    [`${id(1)}/VERSION`]: "1.0",
    [`${id(1)}/json`]: v1(1),
    [`${id(1)}/layer.tar`]: bottom,
    repositories: goJSON({ old: { latest: id(2) } }),
  };

  test("become images with a parent each", async () => {
    await using stores = await freshStores(driver);
    const events = await load(stores, legacy(files));
    expect(loaded(events)).toEqual(["old:latest"]);
    const image = stores.images.get(stores.references.get(parseReference("old")));
    expect(image.config.rootfs.diff_ids).toEqual([sha256(bottom), sha256(top)]);
    expect(image.config.history?.map((step) => step.created_by)).toEqual(["/bin/sh -c step 1", "/bin/sh -c step 2"]);
    expect(image.config.config?.Env).toEqual(["A=b"]);
    expect(stores.images.get(image.parent!).config.rootfs.diff_ids).toEqual([sha256(bottom)]);
    expect(stores.images.list()).toHaveLength(2);
    expect(await stores.left()).toEqual([]);
  });

  test.for([
    ["a parent that is not there", { [`${id(1)}/json`]: v1(1, 3) }, /parent image "3+" is not in the archive/],
    ["parents in a circle", { [`${id(1)}/json`]: v1(1, 2) }, /is its own parent/],
    ["a name for nothing", { repositories: goJSON({ old: { latest: id(9) } }) }, /invalid target ID: 9+/],
    ["a name that is none", { repositories: goJSON({ "Old!": { latest: id(2) } }) }, /invalid reference format/],
    [
      "another system",
      { [`${id(1)}/json`]: v1(1, undefined, { os: "windows" }) },
      /cannot load windows image on linux/,
    ],
    ["no layer", { [`${id(1)}/layer.tar`]: undefined }, /layer of "1+" "1+\/layer.tar" is not in the archive/],
    ["a broken layer", { [`${id(2)}/layer.tar`]: top.subarray(0, 514) }, /layer "2+\/layer.tar": /],
    ["json that is none", { [`${id(1)}/json`]: "{" }, /image "1+\/json": /],
  ] as const)("with %s are refused whole", async ([, change, why]) => {
    await using stores = await freshStores(driver);
    const all = Object.entries({ ...files, ...change }).filter(
      (entry): entry is [string, string | Buffer] => !!entry[1],
    );
    await expect(load(stores, legacy(Object.fromEntries(all)))).rejects.toThrow(why);
    await expectWhole(stores);
  });
});
