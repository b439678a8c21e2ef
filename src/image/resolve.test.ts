import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configOf, freshStores } from "../../test/oracle/image-stores.js";
import { type ImageID, parseReference, sha256 } from "../spec/index.js";
import { addImage } from "./add-image.js";
import { resolveImage } from "./resolve.js";

describe("resolveImage", () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  let id: ImageID;
  let other: ImageID;
  const digest = sha256("manifest");
  beforeAll(async () => {
    stores = await freshStores();
    ({ id } = (
      await addImage(stores, { config: configOf([]), tags: [parseReference("app"), parseReference("app:1")] })
    ).image);
    // Its name is the beginning of the first one's id.
    const tags = [parseReference(id.slice(7, 13))];
    other = (await addImage(stores, { config: configOf([], { comment: "other" }), tags })).image.id;
    await stores.references.addDigest(parseReference(`app@${digest}`), id);
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  const resolve = (name: string) => resolveImage(stores.images, stores.references, name);

  test("takes names, latest where no tag is given, and digests", () => {
    expect(resolve("app")).toMatchObject({ image: { id }, ref: { tag: "latest" } });
    expect(resolve("docker.io/library/app:1")).toMatchObject({ image: { id }, ref: { tag: "1" } });
    expect(resolve(`app:nope@${digest}`)).toMatchObject({ image: { id }, ref: { digest } });
  });

  test("takes ids and what they begin with; no name was given then", () => {
    for (const name of [id, id.slice(7), id.slice(0, 15), id.slice(7, 20)]) {
      expect(resolve(name)).toEqual({ image: stores.images.get(id) });
    }
  });

  test("a name goes before the beginning of an id", () => {
    expect(resolve(id.slice(7, 13)).image.id).toBe(other);
    expect(resolve(id.slice(0, 13)).image.id).toBe(id);
  });

  test.for(["app:2", "nope", `app@${sha256("")}`, sha256("x"), sha256("x").slice(7), "0:latest"])(
    "does not find %s",
    (name) => {
      expect(() => resolve(name)).toThrow(/^No such image: /);
      expect(() => resolve(name)).toThrow(expect.objectContaining({ code: "not-found" }));
    },
  );

  test.for(["", "A", "a b", "a:b:c", "/a", "../a"])("%j is no name at all", (name) => {
    expect(() => resolve(name)).toThrow(expect.objectContaining({ code: "invalid-parameter" }));
  });
});
