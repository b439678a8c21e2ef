import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type DiffID, hexOf, sha256 } from "../spec/index.js";
import { DistributionCache } from "./distribution.js";

const scratch = await mkdtemp(join(tmpdir(), "distribution-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));
let roots = 0;
const root = () => join(scratch, String(++roots));

const layer = sha256("layer") as DiffID;
const source = (n: number, repository = "docker.io/library/a") => ({ digest: sha256(`${n}`), repository, hmac: "" });

test("what is recorded is found both ways, in Docker's files", async () => {
  const at = root();
  const cache = new DistributionCache(at);
  expect(await cache.diffIDOf(source(1).digest)).toBeUndefined();
  expect(await cache.sourcesOf(layer)).toEqual([]);
  await cache.record(layer, source(1));
  expect(await cache.diffIDOf(source(1).digest)).toBe(layer);
  expect(await cache.sourcesOf(layer)).toEqual([source(1)]);
  const sources = join(at, "v2metadata-by-diffid/sha256", hexOf(layer));
  expect(await readFile(join(at, "diffid-by-digest/sha256", hexOf(source(1).digest)), "utf8")).toBe(layer);
  expect(await readFile(sources, "utf8")).toBe(
    `[{"Digest":"${source(1).digest}","SourceRepository":"docker.io/library/a","HMAC":""}]`,
  );
  expect((await stat(sources)).mode & 0o777).toBe(0o644);
  expect((await stat(join(at, "v2metadata-by-diffid/sha256"))).mode & 0o777).toBe(0o755);
  expect((await stat(at)).mode & 0o777).toBe(0o700);
});

test("the newest is last, none twice, and no more than fifty are kept", async () => {
  const cache = new DistributionCache(root());
  await Promise.all(Array.from({ length: 60 }, (_, n) => cache.record(layer, source(n))));
  await cache.record(layer, source(30));
  await cache.record(layer, source(30, "other.example/a"));
  const found = await cache.sourcesOf(layer);
  expect(found).toHaveLength(50);
  expect(found.slice(-3)).toEqual([source(59), source(30), source(30, "other.example/a")]);
});

test("what turned out wrong is forgotten alone", async () => {
  const cache = new DistributionCache(root());
  for (const n of [1, 2, 3]) await cache.record(layer, source(n));
  await cache.forget(layer, source(2));
  await cache.forget(layer, source(9));
  expect(await cache.sourcesOf(layer)).toEqual([source(1), source(3)]);
});

test.for(["", "x", "{}", "null", "[null]", '[{"Digest":"x"}]', '[{"Digest":1,"SourceRepository":"a"}]'])(
  "a file with %j says nothing, and is written anew",
  async (text) => {
    const at = root();
    const dir = join(at, "v2metadata-by-diffid/sha256");
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, hexOf(layer)), text);
    const cache = new DistributionCache(at);
    expect(await cache.sourcesOf(layer)).toEqual([]);
    await cache.record(layer, source(1));
    expect(await cache.sourcesOf(layer)).toEqual([source(1)]);
    expect(await readdir(dir)).toEqual([hexOf(layer)]);
  },
);
