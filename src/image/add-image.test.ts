import { expect, test } from "vitest";
import { configOf, freshStores } from "../../test/oracle/image-stores.js";
import { familiarString, parseReference, sha256 } from "../spec/index.js";
import { addImage } from "./add-image.js";

const config = (comment: string) => configOf([], { comment });
const refs = (...names: readonly string[]) => names.map(parseReference);

test("an image appears with all its names, its parent, and the time of them", async () => {
  await using stores = await freshStores();
  const base = await addImage(stores, { config: config("base") });
  expect(base.image.lastTagged).toBeUndefined();
  const { image, moved } = await addImage(stores, {
    config: config("child"),
    tags: refs("a:1", "b"),
    parent: base.image.id,
    stamp: true,
  });
  expect(image).toMatchObject({ parent: base.image.id, lastTagged: expect.stringMatching(/^20/) });
  expect(moved).toEqual([]);
  expect(stores.references.references(image.id).map(familiarString)).toEqual(["a:1", "b:latest"]);
});

test("names of other images are moved, and told", async () => {
  await using stores = await freshStores();
  const one = await addImage(stores, { config: config("one"), tags: refs("a:1", "a:2") });
  const two = await addImage(stores, { config: config("two"), tags: refs("a:2", "a:3") });
  expect(two.moved).toEqual([{ ref: parseReference("a:2"), from: one.image.id }]);
  const again = await addImage(stores, { config: config("two"), tags: refs("a:2") });
  expect(again.moved).toEqual([]);
});

test("the digest an image came under is recorded with its tags; it never leaves the image that has it", async () => {
  await using stores = await freshStores();
  const digests = refs(`a@${sha256("an index")}`);
  const one = await addImage(stores, { config: config("one"), tags: refs("a:1"), digests });
  const two = await addImage(stores, { config: config("two"), tags: refs("a:1"), digests });
  expect(two.moved).toEqual([{ ref: parseReference("a:1"), from: one.image.id }]);
  expect(stores.references.references(one.image.id)).toEqual(digests);
  expect(stores.references.references(two.image.id)).toEqual(refs("a:1"));
});

test("a name that cannot be given takes everything back", async () => {
  await using stores = await freshStores();
  const one = await addImage(stores, { config: config("one"), tags: refs("a:1") });
  const before = await stores.disk();
  const adding = addImage(stores, { config: config("two"), tags: refs("a:1", "b:1", "sha256:x") });
  await expect(adding).rejects.toThrow("ambiguous tag");
  expect(stores.images.list()).toEqual([one.image]);
  expect(stores.references.all()).toEqual([{ ref: parseReference("a:1"), id: one.image.id }]);
  expect(await stores.disk()).toEqual(before);
});

test("an image that was there before stays when its new names cannot be given", async () => {
  await using stores = await freshStores();
  const base = await addImage(stores, { config: config("base") });
  const { image } = await addImage(stores, { config: config("one"), tags: refs("a:1") });
  const again = { config: config("one"), tags: refs("b:1", "sha256:x"), parent: base.image.id };
  await expect(addImage(stores, again)).rejects.toThrow("ambiguous tag");
  expect(stores.images.get(image.id)).toEqual(image);
  expect(stores.references.references(image.id).map(familiarString)).toEqual(["a:1"]);
});
