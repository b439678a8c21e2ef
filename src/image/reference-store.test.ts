import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { familiarString, type ImageID, parseReference, sha256 } from "../spec/index.js";
import { ReferenceStore } from "./reference-store.js";

const scratch = await mkdtemp(join(tmpdir(), "references-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

let files = 0;
/** A path of its own, with a file there when text is given. */
async function file(text?: string): Promise<string> {
  const path = join(scratch, `${++files}`, "repositories.json");
  await mkdir(join(scratch, `${files}`));
  if (text !== undefined) await writeFile(path, text);
  return path;
}

const open = (path: string) => ReferenceStore.open(path, { writable: true });
const ref = parseReference;
const id = (name: string) => sha256(name) as ImageID;
const [a, b, c] = [id("a"), id("b"), id("c")];
const digest = sha256("manifest");

/** As dockerd writes it: keys in byte order (":" before "@", "10" before "9"), names with a port, a digest. */
const written = `{"Repositories":{${[
  `"10":{"10:latest":"${c}"}`,
  `"9":{"9:latest":"${c}"}`,
  `"busybox":{"busybox:latest":"${a}"}`,
  `"jess/hollywood":{"jess/hollywood:latest":"${a}"}`,
  `"localhost:5000/foo/bar":{"localhost:5000/foo/bar:v1":"${b}"}`,
  `"registry:5000/foobar":{"registry:5000/foobar:HEAD":"${b}","registry:5000/foobar:alternate":"${b}","registry:5000/foobar@${digest}":"${b}"}`,
].join()}}}`;

describe("opening", () => {
  test("an absent file is made, empty, mode 0600, with its directory", async () => {
    const path = join(scratch, "new", "image", "repositories.json");
    await open(path);
    expect(await readFile(path, "utf8")).toBe('{"Repositories":{}}');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("read only, nothing is made and nothing changed", async () => {
    const path = await file();
    const store = await ReferenceStore.open(path, { writable: false });
    await expect(store.addTag(ref("a"), a)).rejects.toMatchObject({ code: "forbidden" });
    expect(store.find(ref("a"))).toBeUndefined();
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  test.for([
    ["", "empty file"],
    ["{", "JSON"],
    ['{"Repositories":{"a":{"a:latest":"sha', "JSON"],
    ["[]", "not a JSON object"],
    ["null", "not a JSON object"],
    ['{"Repositories":[]}', "Repositories is not an object"],
    ['{"Repositories":{"a":"b"}}', 'repository "a" is not an object'],
    ['{"Repositories":{"a":{"a:latest":1}}}', '"a:latest" names no image id'],
  ])("a file with %j is refused with advice and left as it is", async ([text = "", why = ""]) => {
    const path = await file(text);
    const error = await open(path).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "data-loss" });
    expect(String(error)).toMatch(path);
    expect(String(error)).toMatch(why);
    expect(String(error)).toMatch("put back a good copy, or delete it");
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test("what a killed write left is swept", async () => {
    const path = await file('{"Repositories":{}}');
    await writeFile(join(path, "..", ".tmp-repositories.json123"), "{");
    await open(path);
    expect(await readdir(join(path, ".."))).toEqual(["repositories.json"]);
  });
});

describe("the file", () => {
  test("is rewritten byte for byte after a change that is taken back", async () => {
    const path = await file(written);
    const store = await open(path);
    await store.addTag(ref("zz:1"), a);
    expect(await readFile(path, "utf8")).not.toBe(written);
    await store.delete(ref("zz:1"));
    expect(await readFile(path, "utf8")).toBe(written);
  });

  test("keeps null repositories and keys that are no reference, which mean nothing", async () => {
    const text = `{"Repositories":{"a":null,"b":{"B:x":"${a}","b:y":"${b}","other/name:z":"${c}"},"c":{}}}`;
    const path = await file(text);
    const store = await open(path);
    expect(store.all().map((entry) => familiarString(entry.ref))).toEqual(["b:y", "other/name:z"]);
    expect(store.find(ref("a"))).toBeUndefined();
    await store.addTag(ref("d"), a);
    const expected = `${text.slice(0, -2)},"d":{"d:latest":"${a}"}}}`;
    expect(await readFile(path, "utf8")).toBe(expected);
    await store.addTag(ref("a:now"), a);
    expect(await readFile(path, "utf8")).toBe(expected.replace('"a":null', `"a":{"a:now":"${a}"}`));
  });

  test("holds every one of many changes made at once", async () => {
    const path = await file();
    const store = await open(path);
    const names = Array.from({ length: 50 }, (_, n) => `name${n % 7}:tag${n}`);
    await Promise.all(names.map((name, n) => store.addTag(ref(name), n % 2 ? a : b)));
    await Promise.all(names.filter((_, n) => n % 3 === 0).map((name) => store.delete(ref(name))));
    const kept = names.filter((_, n) => n % 3 !== 0).sort();
    expect((await open(path)).all().map((entry) => familiarString(entry.ref))).toEqual(kept);
  });

  test("and memory agree after any changes", async () => {
    const name = fc.constantFrom("a", "b:1", "b:2", "10:x", "9:x", "localhost:5000/a", "u/v:w");
    const change = fc.tuple(fc.constantFrom("add", "delete"), name, fc.constantFrom(a, b));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const path = await file();
        const store = await open(path);
        const model = new Map<string, string>();
        for (const [what, text, image] of changes) {
          const full = text.includes(":") && !text.endsWith("/a") ? text : `${text}:latest`;
          if (what === "add") await store.addTag(ref(text), image, { force: true });
          else expect(await store.delete(ref(text))).toBe(model.has(full));
          if (what === "add") model.set(full, image);
          else model.delete(full);
        }
        const again = await open(path);
        for (const opened of [store, again]) {
          expect(new Map(opened.all().map((entry) => [familiarString(entry.ref), entry.id]))).toEqual(model);
        }
        const text = await readFile(path, "utf8");
        await again.addTag(ref("q"), a);
        await again.delete(ref("q"));
        expect(await readFile(path, "utf8")).toBe(text);
      }),
      { numRuns: 40 },
    );
  });

  test("stays, and memory with it, when it cannot be written", async () => {
    const path = await file(written);
    const store = await open(path);
    await rm(join(path, ".."), { recursive: true });
    await expect(store.addTag(ref("busybox"), b, { force: true })).rejects.toThrow("ENOENT");
    await expect(store.delete(ref("busybox"))).rejects.toThrow("ENOENT");
    expect(store.get(ref("busybox"))).toBe(a);
  });
});

describe("names", () => {
  test("latest is meant without tag, a digest wins over a tag", async () => {
    const store = await open(await file(written));
    expect(store.get(ref("busybox"))).toBe(a);
    expect(store.get(ref("docker.io/library/busybox:latest"))).toBe(a);
    expect(store.find(ref("busybox:1"))).toBeUndefined();
    expect(() => store.get(ref("busybox:1"))).toThrow("reference does not exist");
    expect(() => store.get(ref("busybox:1"))).toThrow(expect.objectContaining({ code: "not-found" }));
    await store.addDigest(ref(`busybox@${digest}`), b);
    expect(store.get(ref(`busybox:latest@${digest}`))).toBe(b);
  });

  test("of an image and of a repository come in the order of their bytes", async () => {
    const store = await open(await file());
    for (const name of ["z:1", "b/c:2", "b:10", "b:9", "b:latest"]) await store.addTag(ref(name), a);
    await store.addDigest(ref(`b@${digest}`), a);
    expect(store.references(a).map(familiarString)).toEqual(["b/c:2", "b:10", "b:9", "b:latest", `b@${digest}`, "z:1"]);
    expect(store.inRepository(ref("b")).map((entry) => familiarString(entry.ref))).toHaveLength(4);
    expect(store.references(b)).toEqual([]);
  });

  test("a tag moves only by force, and tells from where", async () => {
    const store = await open(await file());
    expect(await store.addTag(ref("n"), a)).toBeUndefined();
    expect(await store.addTag(ref("n"), a)).toBeUndefined();
    const refused = store.addTag(ref("n"), b);
    await expect(refused).rejects.toMatchObject({
      code: "conflict",
      message: `Conflict: Tag n:latest is already set to image ${a}, if you want to replace it, please use the force option`,
    });
    expect(await store.addTag(ref("n"), b, { force: true })).toBe(a);
    expect(store.get(ref("n"))).toBe(b);
  });

  test("many tags are given in one step, or none", async () => {
    const path = await file();
    const store = await open(path);
    await store.addTag(ref("a:1"), a);
    await store.addTag(ref("a:2"), b);
    const tags = [ref("a:1"), ref("a:2"), ref("a:3"), ref("b"), ref("b:latest")];
    expect(await store.addTags(tags, b)).toEqual([{ ref: ref("a:1"), id: a }]);
    expect(store.references(b).map(familiarString)).toEqual(["a:1", "a:2", "a:3", "b:latest"]);
    const text = await readFile(path, "utf8");
    for (const wrong of ["sha256:x", `n@${digest}`]) {
      await expect(store.addTags([ref("c"), ref(wrong)], c)).rejects.toMatchObject({ code: "invalid-parameter" });
    }
    expect(await store.addTags([], c)).toEqual([]);
    expect(await readFile(path, "utf8")).toBe(text);
    expect(store.references(c)).toEqual([]);
  });

  test("a digest is never given to another image", async () => {
    const store = await open(await file());
    await store.addDigest(ref(`n@${digest}`), a);
    await store.addDigest(ref(`n@${digest}`), a);
    await expect(store.addDigest(ref(`n@${digest}`), b)).rejects.toThrow(`Cannot overwrite digest ${digest}`);
    await expect(store.addDigest(ref("n:t"), b)).rejects.toMatchObject({ code: "invalid-parameter" });
  });

  test("the word sha256 and digests as tags are refused", async () => {
    const store = await open(await file());
    await expect(store.addTag(ref("sha256:ab"), a)).rejects.toThrow(
      "refusing to create an ambiguous tag using digest algorithm as name",
    );
    await expect(store.addTag(ref(`n@${digest}`), a)).rejects.toThrow(
      "refusing to create a tag with a digest reference",
    );
  });

  test("the last one takes the repository with it", async () => {
    const path = await file();
    const store = await open(path);
    await store.addTag(ref("n:1"), a);
    await store.addTag(ref("n:2"), a);
    expect(await store.delete(ref("n:1"))).toBe(true);
    expect(await store.delete(ref("n:1"))).toBe(false);
    expect(await store.delete(ref("n:2"))).toBe(true);
    expect(await readFile(path, "utf8")).toBe('{"Repositories":{}}');
  });
});
